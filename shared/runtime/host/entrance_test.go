package host_test

import (
	"context"
	"fmt"
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
		"Origin: http://localhost:3000":              http.StatusForbidden,
		"Origin: http://127.0.0.1:8080":              http.StatusForbidden,
		"Sec-Fetch-Site: cross-site":                 http.StatusForbidden,
		"Origin: http://" + h.Addr:                   http.StatusAccepted,
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

// tokens are what a guarded host asks for.
var tokens = guard.Guard{Tokens: []string{"reporters-sesame"}, Operators: []string{"operators-sesame"}, Readers: []string{"readers-sesame"}}

// From afar and from this machine alike: once a token is set, being near is no proof.
func TestPromise12EachSenderSaysWhatItMay(t *testing.T) {
	for where, addr := range map[string]string{"afar": afar(t), "near": "127.0.0.1"} {
		t.Run(where, func(t *testing.T) { eachScope(t, addr) })
	}
}

func eachScope(t *testing.T, addr string) {
	h := serveAt(t, addr+":0", simulated(t), host.Config{Data: t.TempDir(), Guard: tokens})
	const reporter, operator, reader = "Authorization: Bearer reporters-sesame", "Authorization: Bearer operators-sesame", "Authorization: Bearer readers-sesame"
	for _, c := range []struct {
		request, header, body string
		want                  int
	}{
		{"GET /healthz", "", "", http.StatusOK},
		{"GET /readyz", "", "", http.StatusOK},
		{"GET /schemas/havip.recover", "", "", http.StatusOK},
		{"GET /", "", "", http.StatusUnauthorized}, // a browser is sent to log in
		{"GET /", reporter, "", http.StatusForbidden},
		{"GET /", operator, "", http.StatusOK},
		{"GET /api/havips", "", "", http.StatusUnauthorized},
		{"GET /metrics", "", "", http.StatusUnauthorized},
		{"POST /api/freeze", "", freezeAll, http.StatusUnauthorized},
		{"GET /api/havips", "Authorization: Bearer sesame", "", http.StatusUnauthorized},
		{"GET /api/havips", reporter, "", http.StatusForbidden},
		{"GET /api/stories", reporter, "", http.StatusForbidden},
		{"GET /api/deadletters", reporter, "", http.StatusForbidden},
		{"POST /api/deadletters/x/redrive", reporter, "{}", http.StatusForbidden},
		{"POST /api/plan", reporter, started("p"), http.StatusForbidden},
		{"POST /api/freeze", reporter, freezeAll, http.StatusForbidden},
		{"POST /api/lift", reporter, "", http.StatusForbidden},
		{"GET /metrics", reporter, "", http.StatusForbidden},
		{"GET /api/havips", operator, "", http.StatusOK},
		{"GET /metrics", operator, "", http.StatusOK},
		{"POST /api/plan", operator, started("p"), http.StatusOK},
		{"GET /", reader, "", http.StatusOK},
		{"GET /stories", reader, "", http.StatusOK},
		{"GET /recover?havip=orders-db", reader, "", http.StatusForbidden},
		{"GET /freeze", reader, "", http.StatusForbidden},
		{"POST /recover", reader, "", http.StatusForbidden},
		{"GET /api/havips", reader, "", http.StatusOK},
		{"GET /api/stories", reader, "", http.StatusOK},
		{"GET /api/audit?after=0", reader, "", http.StatusOK},
		{"GET /metrics", reader, "", http.StatusOK},
		{"POST /api/plan", reader, started("p"), http.StatusForbidden},
		{"POST /api/freeze", reader, freezeAll, http.StatusForbidden},
		{"POST /api/lift", reader, "", http.StatusForbidden},
		{"POST /api/deadletters/x/redrive", reader, "{}", http.StatusForbidden},
		{"POST /events", reader, started("r"), http.StatusForbidden},
		{"POST /events", reader, "no JSON", http.StatusForbidden},
		{"POST /events/readers-sesame", "", started("r"), http.StatusUnauthorized},
		{"POST /events", "", started("a"), http.StatusUnauthorized},
		{"POST /events/sesame", "", started("b"), http.StatusUnauthorized},
		{"POST /events/reporters-sesame", "", started("c"), http.StatusAccepted},
		{"POST /events/operators-sesame", "", started("c"), http.StatusUnauthorized},
		{"POST /events", reporter, started("d"), http.StatusAccepted},
		{"POST /events", operator, started("e"), http.StatusAccepted},
		{"POST /events", reporter, asked("havip.recover", "f"), http.StatusForbidden},
		{"POST /events", reporter, asked("havip.sweep", "g"), http.StatusForbidden},
		{"POST /events", reporter, "[" + started("h") + "," + asked("havip.sweep", "i") + "]", http.StatusForbidden},
		{"POST /events/reporters-sesame", "", asked("havip.recover", "j"), http.StatusForbidden},
		{"POST /events", operator, asked("havip.recover", "k"), http.StatusAccepted},
		{"POST /events", operator, asked("havip.sweep", "l"), http.StatusAccepted},
		{"POST /events", reporter, asked("havip.status.check", "m"), http.StatusForbidden},
		{"POST /events", operator, asked("havip.status.check", "n"), http.StatusForbidden},
	} {
		method, path, _ := strings.Cut(c.request, " ")
		r := request(t, method, "http://"+h.Addr+path, c.header)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(c.body)), int64(len(c.body))
		got, text := send(t, r)
		if got != c.want {
			t.Errorf("%s %s %s: %d %s, want %d", c.request, c.header, c.body, got, text, c.want)
		}
		if got == http.StatusForbidden && !strings.Contains(text, "OPERATOR") && !strings.Contains(text, "operator") && !strings.Contains(text, "session") && !strings.Contains(text, "nobody but us") {
			t.Errorf("%s: %s does not say what it needs", c.request, text)
		}
		if got >= 400 && strings.Contains(text, "sesame") {
			t.Errorf("%s tells a token: %s", c.request, text)
		}
	}
	if _, ok := ask(t, h, http.MethodGet, "/api/stories?havip=orders-db", ""); ok["stories"] != nil {
		t.Error("the stories are told without a token")
	}
}

const freezeAll = `{"all":true,"until":"2099-01-01T00:00:00Z","reason":"x","actor":"x"}`

// asked is a request of that type, which a batch with a fact before it may hide.
func asked(kind, id string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"test","type":%q,"data":{"cloud":"alibaba","region":"cn-hangzhou",
		"havip":"havip-bp1orders","story":"0123456789abcdef01234567","attempt":1}}`, id, kind)
}

// A proxy on the same machine makes no stranger local, whatever it leaves of him.
func TestBehindALocalProxy(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir()})
	for header, want := range map[string]int{
		"X-Forwarded-For: 127.0.0.1": http.StatusUnauthorized,
		"Forwarded: for=127.0.0.1":   http.StatusUnauthorized,
		"Via: 1.1 proxy":             http.StatusUnauthorized,
		"Accept: */*":                http.StatusOK,
	} {
		for _, path := range []string{"/api/stories", "/api/havips", "/metrics"} {
			if got, text := send(t, request(t, http.MethodGet, "http://"+h.Addr+path, header)); got != want {
				t.Errorf("%s %s: %d %s", header, path, got, text)
			}
		}
	}
	for path, want := range map[string]int{"/api/stories": http.StatusForbidden, "/events": http.StatusForbidden} {
		r := request(t, http.MethodPost, "http://"+h.Addr+path, "")
		r.Host = "evil.example" // DNS rebinding
		if got, text := send(t, r); got != want {
			t.Errorf("%s of evil.example: %d %s", path, got, text)
		}
	}
}

func TestHandshake(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir(), Guard: guard.Guard{
		Tokens: []string{"reporters-sesame"}, Origins: []string{"trusted.example.com"},
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
