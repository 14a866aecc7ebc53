package guard

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const body = `{"specversion":"1.0","id":"1"}`

// environment sets each secret in two, as while it is rotated.
var environment = map[string]string{
	"HAVIP_INGRESS_TOKEN":   "old-token, new-token",
	"HAVIP_WEBHOOK_SECRET":  "plain-secret whsec_" + secretText,
	"HAVIP_WEBHOOK_ORIGINS": "trusted.example.com,b.example",
}

func fromEnvironment(t *testing.T, env map[string]string) Guard {
	t.Helper()
	g, err := FromEnvironment(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// over sends a request with these headers through a socket, and returns what the
// guard at the far end made of it.
func over(t *testing.T, g Guard, path string, header http.Header) (err error) {
	t.Helper()
	mux := http.NewServeMux()
	judge := func(_ http.ResponseWriter, r *http.Request) { err = g.Prove(r, []byte(body)) }
	mux.HandleFunc("/events", judge)
	mux.HandleFunc("/events/{token}", judge)
	server := httptest.NewServer(mux)
	defer server.Close()
	r, failure := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(body))
	if failure != nil {
		t.Fatal(failure)
	}
	r.Header = header
	answer, failure := http.DefaultClient.Do(r)
	if failure != nil {
		t.Fatal(failure)
	}
	answer.Body.Close()
	return err
}

func TestToken(t *testing.T) {
	g := fromEnvironment(t, environment)
	for _, c := range []struct {
		name, path, header, value string
		proven                    bool
	}{
		{"the new one", "/events", "Authorization", "Bearer new-token", true},
		{"the old one", "/events", "Authorization", "Bearer old-token", true},
		{"in the path", "/events/new-token", "Accept", "*/*", true},
		{"as EventBridge sends it", "/events", "x-eventbridge-signature-token", "new-token", true},
		{"nothing", "/events", "Accept", "*/*", false},
		{"empty", "/events", "Authorization", "Bearer ", false},
		{"a part", "/events", "Authorization", "Bearer new-toke", false},
		{"more", "/events", "Authorization", "Bearer new-token2", false},
		{"both at once", "/events", "Authorization", "Bearer old-token, new-token", false},
		{"another scheme", "/events", "Authorization", "Basic new-token", false},
		{"another's in the path", "/events/x", "Accept", "*/*", false},
		{"another's of EventBridge", "/events", "x-eventbridge-signature-token", "x", false},
		{"a wrong one of EventBridge beside a right one", "/events/new-token", "x-eventbridge-signature-token", "x", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := over(t, g, c.path, http.Header{http.CanonicalHeaderKey(c.header): {c.value}})
			if c.proven != (err == nil) || err != nil && !errors.Is(err, ErrUnproven) {
				t.Errorf("got %v, want proven: %t", err, c.proven)
			}
			if err != nil && strings.Contains(err.Error(), "new-token") {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	if err := over(t, Guard{}, "/events", http.Header{}); err != nil || !(Guard{}).Open() {
		t.Errorf("the zero guard refuses: %v", err)
	}
	if fromEnvironment(t, environment).Open() || fromEnvironment(t, map[string]string{"HAVIP_WEBHOOK_SECRET": "x"}).Open() {
		t.Error("a guard with a secret is open")
	}
}

func TestFromEnvironmentRefuses(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"HAVIP_WEBHOOK_SECRET: what follows":  {"HAVIP_WEBHOOK_SECRET": "whsec_hush!"},
		"HAVIP_WEBHOOK_SECRET: what follows ": {"HAVIP_WEBHOOK_SECRET": "whsec_"},
		"HAVIP_EVENTBRIDGE_URL: must":         {"HAVIP_EVENTBRIDGE_URL": "https://h/events"},
		"HAVIP_EVENTBRIDGE_URL: must ":        {"HAVIP_EVENTBRIDGE_URL": "hush", "HAVIP_INGRESS_TOKEN": "hush"},
	} {
		_, err := FromEnvironment(func(name string) string { return env[name] })
		if err == nil || !strings.HasPrefix(err.Error(), strings.TrimSpace(name)) || strings.Contains(err.Error(), "hush") {
			t.Errorf("got %v, want %s", err, name)
		}
	}
}

func TestAllows(t *testing.T) {
	g := fromEnvironment(t, environment)
	for origin, want := range map[string]bool{
		"trusted.example.com": true, "Trusted.Example.com": true, "b.example": true,
		"trusted.example.com.attacker.tld": false, "xtrusted.example.com": false, "example.com": false, "": false, "*": false,
	} {
		if got := g.Allows(origin); got != want {
			t.Errorf("%q: %t, want %t", origin, got, want)
		}
	}
}

func TestShow(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"token": environment, "secret": {"HAVIP_WEBHOOK_SECRET": "x y"}, "nothing": {},
	} {
		g := fromEnvironment(t, env)
		r := httptest.NewRequest(http.MethodPost, "/events", nil)
		g.Show(r, []byte(body))
		if err := over(t, g, "/events", r.Header); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
