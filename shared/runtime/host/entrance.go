package host

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"havip-functions/shared/flow"
)

// entrance lets people in. What they see and do is for this machine, or for who
// knows the token. Events have a guard of their own, and whether we live is no
// secret. A browser may only bring what a page of this machine asks for: no web
// site that its user visits shall attach an instance.
func (h *Host) entrance(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !h.config.Guard.Open() && h.config.Guard.Token(r) == nil:
		case foreign(r.Header.Get("Origin")):
			flow.Problem(w, http.StatusForbidden, "", "a web page of another site asks for this; send it yourself")
			return
		case !public(r.URL.Path) && !local(r.RemoteAddr):
			w.Header().Set("WWW-Authenticate", "Bearer")
			flow.Problem(w, http.StatusUnauthorized, "", "from afar only with Authorization: Bearer and the token of HAVIP_INGRESS_TOKEN")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func public(path string) bool {
	return path == "/events" || path == "/healthz" || path == "/readyz" ||
		strings.HasPrefix(path, "/events/") || strings.HasPrefix(path, "/schemas/")
}

func local(address string) bool {
	from, err := netip.ParseAddrPort(address)
	return err == nil && from.Addr().Unmap().IsLoopback()
}

// foreign tells that a browser sends for a page that is not of this machine.
func foreign(origin string) bool {
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !isLoopback(u.Hostname())
}

func isLoopback(name string) bool {
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

// checkAddr refuses to be reached from afar while everyone is believed.
func (c Config) checkAddr() error {
	name, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return fmt.Errorf("--addr %s: %w; give host:port", c.Addr, err)
	}
	if isLoopback(name) || !c.Guard.Open() {
		return nil
	}
	return fmt.Errorf("--addr %s: only a loopback address, 127.0.0.1 or [::1], since whoever reaches it is believed;"+
		" set HAVIP_INGRESS_TOKEN or HAVIP_WEBHOOK_SECRET to listen elsewhere", c.Addr)
}
