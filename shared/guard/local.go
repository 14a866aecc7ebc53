package guard

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Local returns nil for a request that somebody on this machine makes for
// himself. A proxy on this machine speaks for others, which is an ErrUnproven;
// and so does a browser, for a page of another site or for one whose name was
// made to point here (DNS rebinding), which is an ErrForbidden.
func Local(r *http.Request) error {
	switch {
	case !fromLoopback(r.RemoteAddr):
		return unproven("nobody from afar is believed without a token; set HAVIP_OPERATOR_TOKEN, and HAVIP_INGRESS_TOKEN for senders")
	case forwarded(r):
		return unproven("a proxy forwards this, and who is behind it is not known; set HAVIP_OPERATOR_TOKEN, and HAVIP_INGRESS_TOKEN for senders")
	case !loopbackName(hostname(r.Host)):
		return forbidden("the request asks for the host %.100q; without a token only localhost, 127.0.0.1 and [::1] are served", r.Host)
	case foreign(r):
		return forbidden("a web page of another site asks for this; send it yourself")
	}
	return nil
}

func fromLoopback(address string) bool {
	from, err := netip.ParseAddrPort(address)
	return err == nil && from.Addr().Unmap().IsLoopback()
}

// marks are the headers, beside X-Forwarded-…, that proxies leave.
var marks = []string{
	"Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Original-Forwarded-For", "X-Envoy-External-Address",
	"True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip",
}

// forwarded tells that a proxy has left its mark. By default nginx leaves only
// its HTTP/1.0.
func forwarded(r *http.Request) bool {
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Forwarded") || slices.Contains(marks, name) {
			return true
		}
	}
	return !r.ProtoAtLeast(1, 1)
}

// foreign tells that a browser sends this for a page that is not our own, one on
// another port of this machine included.
func foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Scheme != "http" || u.Host != r.Host
}

func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// Loopback tells whether an address, host:port, can be reached from this machine
// alone.
func Loopback(address string) bool { return loopbackName(hostname(address)) }

func loopbackName(name string) bool {
	if len(name) > 2 && name[0] == '[' {
		name = name[1 : len(name)-1]
	}
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}
