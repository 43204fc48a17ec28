// A service with one guarded route and, where GRPC_PORT is set, guarded gRPC methods. PORT (default 8080),
// LATCHKEY_ADDRESS.
package main

import (
	"cmp"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"latchkey.dev/connection"
	latchkey "latchkey.dev/gen/latchkey/v1"
	"latchkey.dev/guard"
)

// The service here is gRPC's own health service: any other is guarded the same way.
var permissions = guard.Permissions{
	grpc_health_v1.Health_Check_FullMethodName: {"charges.read"},
	grpc_health_v1.Health_Watch_FullMethodName: {"charges.read"},
}

func listCharges(w http.ResponseWriter, r *http.Request) {
	caller := guard.Caller(r.Context())
	fmt.Fprintf(w, "the charges of %s, read by %s\n", caller.CompanyId, caller.TokenId)
}

func serveGrpc(g guard.Guard, port string) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(g.Unary(permissions)), grpc.StreamInterceptor(g.Stream(permissions)))
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	log.Fatal(server.Serve(listener))
}

func main() {
	latchkeys, err := connection.Open()
	if err != nil {
		log.Fatal(err)
	}
	g := guard.Guard{Validator: latchkey.NewValidationServiceClient(latchkeys)}
	if port := os.Getenv("GRPC_PORT"); port != "" {
		go serveGrpc(g, port)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /charges", g.Require(http.HandlerFunc(listCharges), "charges.read"))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+cmp.Or(os.Getenv("PORT"), "8080"), mux))
}
