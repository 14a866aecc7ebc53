// Package ingress is the web door of the functions on the clouds, for senders
// that can only POST: alarm callbacks, and keepalived's notify script.
package ingress

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"havip-functions/shared/flow"
)

// MinToken is how long a token must be at least.
const MinToken = 16

// within is how long an answer may take: CloudMonitor waits 5 s for it.
const within = 4 * time.Second

// Function serves POST /events with the token as a bearer's or as EventBridge
// sends it, and /events/{token}. It serves nothing else: through an anonymous
// trigger anybody could forge an /invoke.
type Function struct {
	Token string // what senders must know
	Door  http.Handler
}

// ServeHTTP implements [http.Handler].
func (f Function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, served := presented(r)
	if !served {
		flow.Problem(w, http.StatusNotFound, "", "events go to /events")
		return
	}
	if !f.knows(token) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		flow.Problem(w, http.StatusUnauthorized, "", "the token is missing or wrong; send Authorization: Bearer TOKEN, or post to /events/TOKEN")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), within)
	defer cancel()
	f.Door.ServeHTTP(w, r.WithContext(ctx))
}

// presented is the token that a request shows, if it asks for what is served.
func presented(r *http.Request) (token string, served bool) {
	if token, ok := strings.CutPrefix(r.URL.Path, "/events/"); ok {
		return token, !strings.Contains(token, "/")
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return token, r.URL.Path == "/events"
	}
	return r.Header.Get("x-eventbridge-signature-token"), r.URL.Path == "/events"
}

// knows takes as long for a wrong token as for the right one, whatever its length.
func (f Function) knows(token string) bool {
	shown, right := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(f.Token))
	return f.Token != "" && subtle.ConstantTimeCompare(shown[:], right[:]) == 1
}
