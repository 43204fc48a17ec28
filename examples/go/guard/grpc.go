package guard

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	latchkey "latchkey.dev/gen/latchkey/v1"
)

// Permissions names what each method needs, by its full name ("/package.Service/Method"). A method that it lacks is
// refused.
type Permissions map[string][]string

// Unary is for grpc.UnaryInterceptor.
func (g Guard) Unary(permissions Permissions) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		ctx, err := g.admit(ctx, info.FullMethod, permissions)
		if err != nil {
			return nil, err
		}
		return handle(ctx, request)
	}
}

// Stream is for grpc.StreamInterceptor. It decides once, when the stream is opened.
func (g Guard) Stream(permissions Permissions) grpc.StreamServerInterceptor {
	return func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		ctx, err := g.admit(stream.Context(), info.FullMethod, permissions)
		if err != nil {
			return err
		}
		return handle(server, admitted{stream, ctx})
	}
}

type admitted struct {
	grpc.ServerStream
	ctx context.Context
}

func (a admitted) Context() context.Context { return a.ctx }

// admit returns the context with the caller in it, or how the call ends.
func (g Guard) admit(ctx context.Context, method string, permissions Permissions) (context.Context, error) {
	needed, isKnown := permissions[method]
	from, isCall := peer.FromContext(ctx)
	if !isKnown || !isCall {
		return nil, status.Error(codes.PermissionDenied, "not a method that anybody may call")
	}
	var authorization string
	if values := metadata.ValueFromIncomingContext(ctx, "authorization"); len(values) == 1 {
		authorization = values[0]
	}
	answer, err := g.ask(ctx, authorization, from.Addr.String(), needed)
	switch {
	case err != nil:
		return nil, status.Error(codes.Unavailable, "no decision about the token, try again")
	case answer.Decision == latchkey.Decision_DECISION_ALLOW:
		return context.WithValue(ctx, callerKey{}, answer), nil
	case isUnauthenticated(answer.Reason):
		return nil, status.Error(codes.Unauthenticated, answer.Reason.String())
	}
	return nil, status.Error(codes.PermissionDenied, answer.Reason.String())
}
