// Package guard lets a request go on only if Latchkey admits its bearer token, from the address it came from, for the
// permissions that it needs: middleware for net/http and interceptors for grpc. Whatever goes wrong, the request is
// refused.
package guard

import (
	"context"
	"net"
	"strings"
	"time"

	latchkey "latchkey.dev/gen/latchkey/v1"
)

const timeout = time.Second

type Guard struct {
	Validator latchkey.ValidationServiceClient
}

type callerKey struct{}

// Caller is the answer that admitted the request, for handlers behind a guard.
func Caller(ctx context.Context) *latchkey.ValidateResponse {
	caller, _ := ctx.Value(callerKey{}).(*latchkey.ValidateResponse)
	return caller
}

// ask has an error where there is no decision. peer is the address as Go's servers tell it, host:port.
func (g Guard) ask(ctx context.Context, authorization, peer string, permissions []string) (
	*latchkey.ValidateResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	host, _, _ := net.SplitHostPort(peer)
	return g.Validator.Validate(ctx, &latchkey.ValidateRequest{
		Token: findBearer(authorization), ClientIp: host, Channel: latchkey.Channel_CHANNEL_API,
		Permissions: permissions})
}

func findBearer(authorization string) string {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.ToValidUTF8(strings.TrimSpace(token), "?") // what is no text can't be sent
}

// isUnauthenticated tells a token that is no good (401) from one that may not do this (403).
func isUnauthenticated(reason latchkey.Reason) bool {
	switch reason {
	case latchkey.Reason_REASON_MALFORMED, latchkey.Reason_REASON_UNKNOWN, latchkey.Reason_REASON_MEMBER_REMOVED,
		latchkey.Reason_REASON_DEACTIVATED, latchkey.Reason_REASON_SUSPENDED, latchkey.Reason_REASON_NOT_YET_VALID,
		latchkey.Reason_REASON_EXPIRED:
		return true
	}
	return false
}
