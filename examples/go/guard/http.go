package guard

import (
	"context"
	"net/http"

	latchkey "latchkey.dev/gen/latchkey/v1"
)

// Require is middleware: mux.Handle("/charges", g.Require(handler, "charges.read")).
func (g Guard) Require(next http.Handler, permissions ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := g.ask(r.Context(), r.Header.Get("Authorization"), r.RemoteAddr, permissions)
		switch {
		case err != nil:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		case answer.Decision != latchkey.Decision_DECISION_ALLOW:
			refuse(w, answer.Reason)
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, answer)))
		}
	})
}

func refuse(w http.ResponseWriter, reason latchkey.Reason) {
	if isUnauthenticated(reason) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if reason == latchkey.Reason_REASON_PERMISSION_MISSING {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope"`)
	}
	w.WriteHeader(http.StatusForbidden)
}
