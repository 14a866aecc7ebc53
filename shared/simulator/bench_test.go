package simulator_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"havip-functions/shared/simulator"
)

// A describe over a socket, and for comparison a handler that does nothing but
// answer as much.
func BenchmarkDescribe(b *testing.B) {
	s, err := simulator.New(simulator.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	c := newClient(nil, s)
	body := c.rest("GET", "/v1/havip/havip-w2d4", "").Raw
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, body)
	})
	for name, handler := range map[string]http.Handler{"bare": bare, "simulator": s.Baidu()} {
		b.Run(name, func(b *testing.B) {
			socket := httptest.NewServer(handler)
			defer socket.Close()
			c.baidu, c.http.Transport = socket.URL, http.DefaultTransport
			for b.Loop() {
				if r := c.rest("GET", "/v1/havip/havip-w2d4", ""); r.Status != http.StatusOK {
					b.Fatal(r.Raw, r.err)
				}
			}
		})
	}
}
