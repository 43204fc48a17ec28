// Calls what its input says, with grpc-go, until that ends; see tests/interop/callers.py. Whoever gets an error does not try
// again: only what the library repeats by itself, for every service, is repeated.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"
)

type plan struct {
	Config string
	Calls  []method
}

type method struct {
	Path, Secret string
	Addresses    []string
	Request      []byte
}

// Messages as they stand on the wire.
type bytesCodec struct{}

func (bytesCodec) Marshal(message any) ([]byte, error) { return message.([]byte), nil }
func (bytesCodec) Name() string                        { return "proto" }
func (bytesCodec) Unmarshal(data []byte, message any) error {
	*message.(*[]byte) = data
	return nil
}

func (m method) open(config string) (*grpc.ClientConn, error) {
	addresses := manual.NewBuilderWithScheme("fixed")
	state := resolver.State{}
	for _, address := range m.Addresses {
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: address}}})
	}
	addresses.InitialState(state)
	return grpc.NewClient("fixed:///localhost", grpc.WithResolvers(addresses), grpc.WithDefaultServiceConfig(config),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodec(bytesCodec{})))
}

func (m method) call(connection *grpc.ClientConn) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var answer []byte
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+m.Secret)
	if err := connection.Invoke(ctx, m.Path, m.Request, &answer); err != nil {
		return fmt.Sprintf("%d %s", status.Code(err), status.Convert(err).Message())
	}
	return "answered"
}

func (m method) callOnAndOn(config string, over <-chan struct{}) map[string]int {
	connection, err := m.open(config)
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	counts := map[string]int{}
	for {
		select {
		case <-over:
			return counts
		case <-time.After(time.Millisecond):
			counts[m.call(connection)]++
		}
	}
}

func main() {
	var asked plan
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		log.Fatal(err)
	}
	counts := make([]map[string]int, len(asked.Calls))
	over := make(chan struct{})
	var running sync.WaitGroup
	for i, method := range asked.Calls {
		running.Go(func() { counts[i] = method.callOnAndOn(asked.Config, over) })
	}
	io.Copy(io.Discard, os.Stdin)
	close(over)
	running.Wait()
	byPath := map[string]map[string]int{}
	for i, method := range asked.Calls {
		byPath[method.Path] = counts[i]
	}
	json.NewEncoder(os.Stdout).Encode(byPath)
}
