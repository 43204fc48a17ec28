// The peer: Validate of the same contract on grpc-go as it comes, with hardly a decision behind it: any token from
// anywhere is allowed. Prints "listening ADDRESS".
package main

import (
	"context"
	"fmt"
	"log"
	"net"

	"google.golang.org/grpc"

	latchkeyv1 "latchkey.dev/gen/latchkey/v1"
)

const maxStreams = 1000

type service struct {
	latchkeyv1.UnimplementedValidationServiceServer
}

func (service) Validate(_ context.Context, request *latchkeyv1.ValidateRequest) (*latchkeyv1.ValidateResponse, error) {
	if request.GetToken() == "" || request.GetClientIp() == "" {
		return &latchkeyv1.ValidateResponse{
			Decision: latchkeyv1.Decision_DECISION_DENY,
			Reason:   latchkeyv1.Reason_REASON_MALFORMED,
		}, nil
	}
	return &latchkeyv1.ValidateResponse{
		Decision:  latchkeyv1.Decision_DECISION_ALLOW,
		Reason:    latchkeyv1.Reason_REASON_OK,
		CompanyId: "cmp_01jd3ge8x9f0r8q6k3n2v5t7wy",
		TokenId:   "tok_01jd3ge8x9f0r8q6k3n2v5t7wz",
	}, nil
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.MaxConcurrentStreams(maxStreams))
	latchkeyv1.RegisterValidationServiceServer(server, service{})
	fmt.Printf("listening %s\n", listener.Addr())
	log.Fatal(server.Serve(listener))
}
