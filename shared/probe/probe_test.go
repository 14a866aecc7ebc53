package probe_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/probe"
)

// listening is a port of loopback that somebody listens on, and its server.
func listening(t *testing.T, serve http.HandlerFunc) (netip.Addr, uint16) {
	t.Helper()
	s := httptest.NewServer(serve)
	t.Cleanup(s.Close)
	at := netip.MustParseAddrPort(strings.TrimPrefix(s.URL, "http://"))
	return at.Addr(), at.Port()
}

func TestAsk(t *testing.T) {
	var sent http.Header
	elsewhere := false
	address, port := listening(t, func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header
		switch r.URL.Path {
		case "/moved":
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusFound)
		case "/elsewhere":
			elsewhere = true
		case "/broken":
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	shut, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := uint16(shut.Addr().(*net.TCPAddr).Port)
	shut.Close()
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	for name, tt := range map[string]struct {
		probe havip.Probe
		want  string // of the error
	}{
		"tcp":           {havip.Probe{How: "tcp", Port: port}, ""},
		"tcp, shut":     {havip.Probe{How: "tcp", Port: nobody}, "connect: connection refused"},
		"http":          {havip.Probe{How: "http", Port: port, Path: "/healthz"}, ""},
		"http, no path": {havip.Probe{How: "http", Port: port}, ""},
		"http, moved":   {havip.Probe{How: "http", Port: port, Path: "/moved"}, ""},
		"http, broken":  {havip.Probe{How: "http", Port: port, Path: "/broken"}, "it answered 503"},
		"http, shut":    {havip.Probe{How: "http", Port: nobody, Path: "/"}, "connect: connection refused"},
		"another":       {havip.Probe{How: "udp", Port: port}, "no probe is called udp"},
	} {
		err := probe.Ask(t.Context(), tt.probe, address)
		if (err == nil) != (tt.want == "") || err != nil && err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
	}
	if elsewhere {
		t.Error("it followed a redirect")
	}
	for _, name := range []string{"Authorization", "Cookie"} {
		if sent.Get(name) != "" {
			t.Errorf("it sent %s", name)
		}
	}
}

// One who takes the connection and says nothing costs no more than the time given.
func TestAskKeepsToItsTime(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	at := silent.Addr().(*net.TCPAddr).AddrPort()
	err = probe.Ask(ctx, havip.Probe{How: "http", Port: at.Port(), Path: "/"}, at.Addr())
	if err == nil || err.Error() != "no answer in time" {
		t.Errorf("got %v", err)
	}
}

// An echo comes back, or the reason says what does not permit it.
func TestAskPings(t *testing.T) {
	err := probe.Ask(t.Context(), havip.Probe{How: "icmp"}, netip.MustParseAddr("127.0.0.1"))
	var not havip.NotAsked
	if err != nil && (!errors.As(err, &not) || !strings.Contains(err.Error(), "ping_group_range")) {
		t.Errorf("got %v", err)
	}
	t.Logf("loopback: %v", err)
	if err := probe.Ask(t.Context(), havip.Probe{How: "icmp"}, netip.MustParseAddr("::1")); !errors.As(err, &not) {
		t.Errorf("IPv6: got %v", err)
	}
}
