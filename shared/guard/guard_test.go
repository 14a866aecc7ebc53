package guard

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

const body = `{"specversion":"1.0","id":"1"}`

// environment sets each secret in two, as while it is rotated.
var environment = map[string]string{
	"HAVIP_INGRESS_TOKEN":   "old-token-of-length, new-token-of-length",
	"HAVIP_OPERATOR_TOKEN":  "operators-token-1 operators-token-2",
	"HAVIP_WEBHOOK_SECRET":  "plain-secret-of-length whsec_" + secretText,
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
func over(t *testing.T, g Guard, path string, header http.Header) (scope Scope, err error) {
	t.Helper()
	mux := http.NewServeMux()
	judge := func(_ http.ResponseWriter, r *http.Request) { scope, err = g.Prove(r, []byte(body)) }
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
	return scope, err
}

func TestToken(t *testing.T) {
	g := fromEnvironment(t, environment)
	for _, c := range []struct {
		name, path, header, value string
		scope                     Scope
	}{
		{"the new one", "/events", "Authorization", "Bearer new-token-of-length", Reporter},
		{"the old one", "/events", "Authorization", "Bearer old-token-of-length", Reporter},
		{"in the path", "/events/new-token-of-length", "Accept", "*/*", Reporter},
		{"as EventBridge sends it", "/events", "x-eventbridge-signature-token", "new-token-of-length", Reporter},
		{"an operator's", "/events", "Authorization", "Bearer operators-token-1", Operator},
		{"an operator's other", "/events", "Authorization", "Bearer operators-token-2", Operator},
		{"an operator's in the path", "/events/operators-token-1", "Accept", "*/*", Stranger},
		{"an operator's as EventBridge's", "/events", "x-eventbridge-signature-token", "operators-token-1", Stranger},
		{"an operator's beside a reporter's of EventBridge", "/events/operators-token-1", "x-eventbridge-signature-token", "new-token-of-length", Reporter},
		{"nothing", "/events", "Accept", "*/*", Stranger},
		{"empty", "/events", "Authorization", "Bearer ", Stranger},
		{"a part", "/events", "Authorization", "Bearer new-token-of-lengt", Stranger},
		{"more", "/events", "Authorization", "Bearer new-token-of-length2", Stranger},
		{"both at once", "/events", "Authorization", "Bearer old-token-of-length, new-token-of-length", Stranger},
		{"another scheme", "/events", "Authorization", "Basic new-token-of-length", Stranger},
		{"another's in the path", "/events/x", "Accept", "*/*", Stranger},
		{"another's of EventBridge", "/events", "x-eventbridge-signature-token", "x", Stranger},
		{"a wrong one of EventBridge beside a right one", "/events/new-token-of-length", "x-eventbridge-signature-token", "x", Stranger},
	} {
		t.Run(c.name, func(t *testing.T) {
			scope, err := over(t, g, c.path, http.Header{http.CanonicalHeaderKey(c.header): {c.value}})
			if scope != c.scope || (err == nil) != (c.scope != Stranger) || err != nil && !errors.Is(err, ErrUnproven) {
				t.Errorf("got %s, %v, want %s", scope, err, c.scope)
			}
			if err != nil && strings.Contains(err.Error(), "token-of") {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	if scope, err := over(t, Guard{}, "/events", http.Header{}); err != nil || scope != Operator || !(Guard{}).Open() {
		t.Errorf("the zero guard takes who is here for %s: %v", scope, err)
	}
	for _, name := range []string{"HAVIP_WEBHOOK_SECRET", "HAVIP_INGRESS_TOKEN", "HAVIP_OPERATOR_TOKEN"} {
		g := fromEnvironment(t, map[string]string{name: "hush-hush-hush-hush"})
		if scope, err := over(t, g, "/events", http.Header{}); g.Open() || scope != Stranger || !errors.Is(err, ErrUnproven) {
			t.Errorf("with %s alone a stranger on this machine is %s: %v", name, scope, err)
		}
	}
}

func TestFromEnvironmentRefuses(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"HAVIP_WEBHOOK_SECRET: what follows":  {"HAVIP_WEBHOOK_SECRET": "whsec_hush-hush-hush!"},
		"HAVIP_WEBHOOK_SECRET: what follows ": {"HAVIP_WEBHOOK_SECRET": "whsec_===========hush"},
		"HAVIP_EVENTBRIDGE_URL: must":         {"HAVIP_EVENTBRIDGE_URL": "https://h/events"},
		"HAVIP_EVENTBRIDGE_URL: must ":        {"HAVIP_EVENTBRIDGE_URL": "hush", "HAVIP_INGRESS_TOKEN": "hush-hush-hush-hush"},
		"HAVIP_INGRESS_TOKEN: is set":         {"HAVIP_INGRESS_TOKEN": ", "},
		"HAVIP_INGRESS_TOKEN: has a token":    {"HAVIP_INGRESS_TOKEN": "hush"},
		"HAVIP_OPERATOR_TOKEN: is set":        {"HAVIP_OPERATOR_TOKEN": " "},
		"HAVIP_OPERATOR_TOKEN: has a token s": {"HAVIP_OPERATOR_TOKEN": "hush-hush-hush-hush hush"},
		"HAVIP_OPERATOR_TOKEN: has a token o": {"HAVIP_OPERATOR_TOKEN": "hush-hush-hush-hush", "HAVIP_INGRESS_TOKEN": "hush-hush-hush-hush"},
		"HAVIP_READER_TOKEN: has a token of":  {"HAVIP_OPERATOR_TOKEN": "hush-hush-hush-hush", "HAVIP_READER_TOKEN": "hush-hush-hush-hush"},
		"HAVIP_READER_TOKEN: has a token o":   {"HAVIP_INGRESS_TOKEN": "hush-hush-hush-hush", "HAVIP_READER_TOKEN": "hush-hush-hush-hush"},
		"HAVIP_WEBHOOK_SECRET: is set":        {"HAVIP_WEBHOOK_SECRET": "\t"},
		"HAVIP_WEBHOOK_SECRET: has":           {"HAVIP_WEBHOOK_SECRET": "hush"},
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
	for name, tt := range map[string]struct {
		env   map[string]string
		scope Scope
	}{
		"an operator's token": {environment, Operator},
		"a reporter's token":  {map[string]string{"HAVIP_INGRESS_TOKEN": "hush-hush-hush-hush"}, Reporter},
		"a secret":            {map[string]string{"HAVIP_WEBHOOK_SECRET": "hush-hush-hush-hush"}, Reporter},
		"nothing":             {nil, Operator},
		"a reader's alone":    {map[string]string{"HAVIP_READER_TOKEN": "hush-hush-hush-hush", "HAVIP_INGRESS_TOKEN": "hush-hush-hush-too-"}, Reporter},
	} {
		g := fromEnvironment(t, tt.env)
		r := httptest.NewRequest(http.MethodPost, "/events", nil)
		g.Show(r, []byte(body))
		if scope, err := over(t, g, "/events", r.Header); err != nil || scope != tt.scope {
			t.Errorf("%s: %s, %v", name, scope, err)
		}
	}
}

func TestScopes(t *testing.T) {
	includes := map[Scope][]Scope{
		Stranger: nil, Reader: {Reader}, Reporter: {Reporter}, Operator: {Reader, Reporter, Operator}, Ourselves: {Reader, Reporter, Operator, Ourselves},
	}
	for has, included := range includes {
		for _, needs := range []Scope{Reader, Reporter, Operator, Ourselves} {
			err := has.Check("havip.recover", needs)
			if (err == nil) != slices.Contains(included, needs) || err != nil && (!errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), "havip.recover")) {
				t.Errorf("a %s is asked for %s: %v", has, needs, err)
			}
		}
	}
}

// Who stands on this machine, and speaks for nobody else.
func TestLocal(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*http.Request)
		want   error
	}{
		"a command":                              {func(*http.Request) {}, nil},
		"by IPv6":                                {func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:2000", "[::1]:8080" }, nil},
		"by name":                                {func(r *http.Request) { r.Host = "localhost:8080" }, nil},
		"our own page":                           {func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:8080") }, nil},
		"typed into a browser":                   {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") }, nil},
		"from afar":                              {func(r *http.Request) { r.RemoteAddr = "192.0.2.7:2000" }, ErrUnproven},
		"from nowhere":                           {func(r *http.Request) { r.RemoteAddr = "@" }, ErrUnproven},
		"a proxy":                                {func(r *http.Request) { r.Header.Set("X-Forwarded-For", "127.0.0.1") }, ErrUnproven},
		"a proxy, by RFC 7239":                   {func(r *http.Request) { r.Header.Set("Forwarded", "") }, ErrUnproven},
		"a proxy that says Via":                  {func(r *http.Request) { r.Header.Set("Via", "1.1 x") }, ErrUnproven},
		"our own page, over TLS":                 {func(r *http.Request) { r.Header.Set("Origin", "https://127.0.0.1:8080") }, ErrForbidden},
		"nginx as it comes":                      {func(r *http.Request) { r.ProtoMinor = 0 }, ErrUnproven},
		"DNS rebinding":                          {func(r *http.Request) { r.Host = "evil.example:8080" }, ErrForbidden},
		"a name like ours":                       {func(r *http.Request) { r.Host = "localhost.evil.example" }, ErrForbidden},
		"no host":                                {func(r *http.Request) { r.Host = "" }, ErrForbidden},
		"another page":                           {func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, ErrForbidden},
		"a page of this machine on another port": {func(r *http.Request) { r.Header.Set("Origin", "http://localhost:3000") }, ErrForbidden},
		"a sandboxed page":                       {func(r *http.Request) { r.Header.Set("Origin", "null") }, ErrForbidden},
		"no origin, and yet":                     {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, ErrForbidden},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8080/events", nil)
		r.RemoteAddr = "127.0.0.1:2000"
		tt.change(r)
		if err := Local(r); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	for _, mark := range []string{
		"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP",
		"X-Envoy-External-Address", "True-Client-IP", "CF-Connecting-IP", "Fastly-Client-IP",
	} {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8080/events", nil)
		r.RemoteAddr = "127.0.0.1:2000"
		r.Header.Set(mark, "127.0.0.1")
		if err := Local(r); !errors.Is(err, ErrUnproven) {
			t.Errorf("a proxy that leaves %s: %v", mark, err)
		}
	}
}

// A seal fits its text and its subject alone, under any of the keys; without a key
// none fits, unless the bus is our own.
func TestSeal(t *testing.T) {
	const old, fresh = "the-old-key-of-a-deployment", "the-new-key-of-a-deployment"
	open := func(keys string) Seal {
		s, err := SealFromEnvironment(func(string) string { return keys })
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	text := []byte("text")
	sealed := open(old).Of("a", text)
	for name, tt := range map[string]struct {
		by      Seal
		subject string
		text    string
		seal    string
		want    bool
	}{
		"as it was":            {open(old), "a", "text", sealed, true},
		"rotated, by the old":  {open(fresh + "," + old), "a", "text", sealed, true},
		"rotated away":         {open(fresh), "a", "text", sealed, false},
		"of another subject":   {open(old), "b", "text", sealed, false},
		"a shifted subject":    {open(old), "at", "ext", sealed, false},
		"of another text":      {open(old), "a", "text2", sealed, false},
		"none":                 {open(old), "a", "text", "", false},
		"cut":                  {open(old), "a", "text", sealed[:20], false},
		"without a key":        {open(""), "a", "text", sealed, false},
		"without both":         {open(""), "a", "text", "", false},
		"on a bus of our own":  {Seal{}, "a", "text", "", true},
		"the first key seals":  {open(fresh), "a", "text", open(fresh+" "+old).Of("a", text), true},
		"and nobody else does": {open(old), "a", "text", open(fresh+" "+old).Of("a", text), false},
	} {
		if got := tt.by.Fits(tt.subject, []byte(tt.text), tt.seal); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
	}
}

// A body is only read for a proof that there is.
func TestNeedsBody(t *testing.T) {
	const token = "reporter-reporter-reporter"
	for name, tt := range map[string]struct {
		guard         Guard
		header, value string
		want          bool
	}{
		"a signature":                      {Guard{Secrets: [][]byte{[]byte("secret")}}, webhookSignature, "x", true},
		"one where nothing is signed":      {Guard{Tokens: []string{token}}, webhookSignature, "x", false},
		"EventBridge's token":              {Guard{Tokens: []string{token}}, signatureToken, token, true},
		"one that is not ours":             {Guard{Tokens: []string{token}}, signatureToken, "x", false},
		"one where there is none":          {Guard{Secrets: [][]byte{[]byte("secret")}}, signatureToken, "", false},
		"a bearer, which is judged before": {Guard{Tokens: []string{token}}, "Authorization", "Bearer " + token, false},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8080/events", nil)
		r.Header.Set(tt.header, tt.value)
		if got := tt.guard.NeedsBody(r); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
	}
}
