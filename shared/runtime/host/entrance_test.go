package host_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"havip-functions/shared/guard"
	"havip-functions/shared/runtime/host"
)

// send makes a request of its own kind and returns the answer's status and body.
func send(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func request(t *testing.T, method, url, header string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(started("e-"+header)))
	if err != nil {
		t.Fatal(err)
	}
	if name, value, ok := strings.Cut(header, ": "); ok {
		r.Header.Set(name, value)
	}
	return r
}

func TestOpenOnlyOnLoopback(t *testing.T) {
	for addr, served := range map[string]bool{
		"127.0.0.1:0": true, "localhost:0": true, "[::1]:0": true,
		"0.0.0.0:0": false, ":0": false, "192.0.2.1:0": false, "example.com:0": false, "127.0.0.1.example.com:0": false,
	} {
		ctx, stop := context.WithCancel(t.Context())
		stop() // what would be served is not opened
		_, err := host.Open(ctx, host.Config{Addr: addr, Data: "/dev/null/none"})
		if refused := err != nil && strings.Contains(err.Error(), "whoever reaches it is believed"); refused == served {
			t.Errorf("%s: %v", addr, err)
		}
		_, err = host.Open(ctx, host.Config{Addr: addr, Data: "/dev/null/none", Guard: guard.Guard{Tokens: []string{"t"}}})
		if err == nil || strings.Contains(err.Error(), "believed") {
			t.Errorf("%s with a guard: %v", addr, err)
		}
	}
}

func TestWebPagesOfOthers(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir()})
	for header, want := range map[string]int{
		"Origin: https://evil.example":               http.StatusForbidden,
		"Origin: null":                               http.StatusForbidden,
		"Origin: http://127.0.0.1.evil.example:8080": http.StatusForbidden,
		"Origin: http://localhost:8080":              http.StatusAccepted,
		"Origin: http://127.0.0.1:8080":              http.StatusAccepted,
		"Accept: */*":                                http.StatusAccepted,
	} {
		if got, text := send(t, request(t, http.MethodPost, "http://"+h.Addr+"/events", header)); got != want {
			t.Errorf("%s: %d %s", header, got, text)
		}
	}
}

// afar is an address of this machine that is not loopback.
func afar(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			return ip.IP.String()
		}
	}
	t.Skip("this machine has no address but loopback")
	return ""
}

func TestFromAfar(t *testing.T) {
	addr := afar(t)
	h := serveAt(t, addr+":0", simulated(t), host.Config{Data: t.TempDir(), Guard: guard.Guard{Tokens: []string{"open-sesame"}}})
	for _, c := range []struct {
		method, path, header string
		want                 int
	}{
		{http.MethodGet, "/healthz", "", http.StatusOK},
		{http.MethodGet, "/schemas/havip.recover", "", http.StatusOK},
		{http.MethodGet, "/api/havips", "", http.StatusUnauthorized},
		{http.MethodGet, "/metrics", "", http.StatusUnauthorized},
		{http.MethodGet, "/", "", http.StatusUnauthorized},
		{http.MethodPost, "/api/freeze", "", http.StatusUnauthorized},
		{http.MethodGet, "/api/havips", "Authorization: Bearer sesame", http.StatusUnauthorized},
		{http.MethodGet, "/api/havips", "Authorization: Bearer open-sesame", http.StatusOK},
		{http.MethodPost, "/events", "", http.StatusUnauthorized},
		{http.MethodPost, "/events/sesame", "", http.StatusUnauthorized},
		{http.MethodPost, "/events/open-sesame", "", http.StatusAccepted},
		{http.MethodPost, "/events", "Authorization: Bearer open-sesame", http.StatusAccepted},
	} {
		got, text := send(t, request(t, c.method, "http://"+h.Addr+c.path, c.header))
		if got != c.want {
			t.Errorf("%s %s %s: %d %s, want %d", c.method, c.path, c.header, got, text, c.want)
		}
		if got == http.StatusUnauthorized && strings.Contains(text, "sesame") {
			t.Errorf("%s tells the token: %s", c.path, text)
		}
	}
}

func TestHandshake(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir(), Guard: guard.Guard{
		Tokens: []string{"t"}, Origins: []string{"trusted.example.com"},
	}})
	for origin, granted := range map[string]string{
		"trusted.example.com":              "trusted.example.com",
		"trusted.example.com.attacker.tld": "",
		"example.com":                      "",
	} {
		r := request(t, http.MethodOptions, "http://"+h.Addr+"/events", "WebHook-Request-Origin: "+origin)
		r.Header.Set("WebHook-Request-Callback", "http://127.0.0.1:1/never")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if got := answer.Header.Get("WebHook-Allowed-Origin"); got != granted || (answer.StatusCode == http.StatusOK) != (granted != "") {
			t.Errorf("%s: %s, allowed %q", origin, answer.Status, got)
		}
		if (answer.Header.Get("WebHook-Allowed-Rate") != "") != (granted != "") || answer.Header.Get("Allow") != http.MethodPost {
			t.Errorf("%s: %v", origin, answer.Header)
		}
	}
	if got, _ := send(t, request(t, http.MethodOptions, "http://"+h.Addr+"/events", "")); got != http.StatusMethodNotAllowed {
		t.Errorf("OPTIONS of nobody: %d", got)
	}
}

func TestSchemas(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir()})
	for path, want := range map[string]int{
		"havip.health.failed": http.StatusOK, "havip.health.failed.json": http.StatusOK, "words.json": http.StatusOK,
		"havip.nothing": http.StatusNotFound, "..%2fschema.go": http.StatusNotFound, "%2e%2e%2fschema%2fwords": http.StatusNotFound,
	} {
		status, text := send(t, request(t, http.MethodGet, "http://"+h.Addr+"/schemas/"+path, ""))
		if status != want || status == http.StatusOK && !strings.Contains(text, "2020-12") {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}
