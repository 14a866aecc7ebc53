package host

import (
	"fmt"
	"net"
	"net/http"
	"strings"

	"havip-functions/shared/console"
	"havip-functions/shared/flow"
	"havip-functions/shared/guard"
)

// entrance lets operators in, and readers where nothing is done: for who shows a token of
// theirs, or, on a host that asks for none, for who is on this machine. The door of the
// events judges its senders itself, and whether we live is no secret.
func (h *Host) entrance(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !public(r.URL.Path) && !console.Owns(r.URL.Path) {
			scope, err := h.config.Guard.Token(r)
			if err == nil {
				err = scope.Check(r.Method+" "+r.URL.Path, sees(r))
			}
			if err != nil {
				flow.TurnAway(w, r, err, h.config.Log)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func sees(r *http.Request) guard.Scope {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return guard.Reader
	}
	return guard.Operator
}

func public(path string) bool {
	return path == "/events" || path == "/healthz" || path == "/readyz" ||
		strings.HasPrefix(path, "/events/") || strings.HasPrefix(path, "/schemas/")
}

// checkAddr refuses to be reached from afar while no proof is asked for.
func (c Config) checkAddr() error {
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		return fmt.Errorf("--addr %s: %w; give host:port", c.Addr, err)
	}
	if guard.Loopback(c.Addr) || !c.Guard.Open() {
		return nil
	}
	return fmt.Errorf("--addr %s: only a loopback address, 127.0.0.1 or [::1], since whoever reaches it is believed;"+
		" set HAVIP_OPERATOR_TOKEN, and HAVIP_INGRESS_TOKEN or HAVIP_WEBHOOK_SECRET for senders, to listen elsewhere", c.Addr)
}
