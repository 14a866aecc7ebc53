// Package ingress is the web door of the functions on the clouds, for senders
// that can only POST: alarm callbacks, and keepalived's notify script.
package ingress

import (
	"context"
	"net/http"
	"time"

	"havip-functions/shared/api"
	"havip-functions/shared/flow"
)

// within is how long an answer may take: CloudMonitor waits 5 s for it.
const within = 4 * time.Second

// Function serves /events and /events/{token}, to the senders that the Door's
// Guard believes, and nothing else: through an anonymous trigger anybody could
// forge an /invoke.
type Function struct {
	Door flow.Door
}

// ServeHTTP implements [http.Handler].
func (f Function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), within)
	defer cancel()
	mux := http.NewServeMux()
	mux.Handle("/events", f.Door)
	mux.Handle("/events/{token}", f.Door)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		api.Refuse(w, http.StatusNotFound, "", "events go to /events")
	})
	mux.ServeHTTP(w, r.WithContext(ctx))
}
