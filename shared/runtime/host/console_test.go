package host_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"havip-functions/shared/guard"
	"havip-functions/shared/runtime/host"
)

// visitor is a browser without a script: it keeps cookies, and sends forms as a page of
// ours does.
type visitor struct {
	t    *testing.T
	base string
	http.Client
}

func visit(t *testing.T, h *host.Host) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, "http://" + h.Addr, http.Client{Jar: jar}}
}

// open returns where it came to and what it sees.
func (v *visitor) open(r *http.Request) (status int, at, page string) {
	v.t.Helper()
	r.Header.Set("Accept", "text/html")
	answer, err := v.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer.StatusCode, answer.Request.URL.RequestURI(), string(text)
}

func (v *visitor) see(path string) (status int, at, page string) {
	v.t.Helper()
	return v.open(v.request(http.MethodGet, path, nil))
}

func (v *visitor) request(method, path string, form url.Values) *http.Request {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

var hidden = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

// fill takes a page's form and adds what the visitor writes.
func fill(page, action string, more ...string) url.Values {
	form := url.Values{}
	_, rest, _ := strings.Cut(page, `action="`+action+`" method="post">`)
	inside, _, _ := strings.Cut(rest, "</form>")
	for _, field := range hidden.FindAllStringSubmatch(inside, -1) {
		form.Set(field[1], field[2])
	}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

func (v *visitor) send(path string, form url.Values) (status int, at, page string) {
	v.t.Helper()
	return v.open(v.request(http.MethodPost, path, form))
}

// A person without a script plans a recover, confirms it, and comes to its story; the
// second click on the same form is the same event.
func TestConsoleRecovers(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir()})
	v := visit(t, h)
	_, _, page := v.see("/recover?havip=orders-db")
	if status, _, page := v.send("/recover", fill(page, "/recover")); status != http.StatusBadRequest || !strings.Contains(page, "A reason is missing") {
		t.Errorf("without a reason: %d %s", status, page)
	}
	_, _, plan := v.send("/recover", fill(page, "/recover", "instance", "i-db2", "reason", "drill"))
	if !strings.Contains(plan, "Attach</span> i-db2") {
		t.Fatalf("the plan is %s", plan)
	}
	if _, stories := ask(t, h, http.MethodGet, "/api/stories", ""); len(stories["stories"].([]any)) != 0 {
		t.Errorf("a plan did something: %v", stories)
	}
	form := fill(plan, "/recover")
	_, at, _ := v.send("/recover", form)
	if _, again, _ := v.send("/recover", form); again != at || !strings.HasPrefix(at, "/stories/") {
		t.Errorf("confirmed it is at %s, and again at %s", at, again)
	}
	if ended := outcome(t, h, strings.TrimPrefix(at, "/stories/")); ended["outcome"] != "attached" || ended["instance"] != "i-db2" {
		t.Errorf("%v", ended)
	}
	if _, _, page := v.see(at); !strings.Contains(page, "<svg") || !strings.Contains(page, "Attach i-db2") || !strings.Contains(page, `<span class="pill good">attached</span>`) {
		t.Errorf("its page is %s", page)
	}
}

// A freeze by hand stops the next story, and ends by hand.
func TestConsoleFreezes(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir()})
	v := visit(t, h)
	for _, c := range [][2]string{{"2h", "ignored"}, {"0s", "attached"}} {
		lasts, want := c[0], c[1]
		_, _, page := v.see("/freeze?havip=orders-db")
		_, at, page := v.send("/freeze", fill(page, "/freeze", "for", lasts, "reason", "<i>work</i>"))
		if frozen := strings.Contains(page, `<span class="pill frozen">frozen</span>`) && strings.Contains(page, "by console@127.0.0.1: &lt;i&gt;work&lt;/i&gt;"); at != "/" || frozen != (lasts == "2h") || strings.Contains(page, "<i>work") {
			t.Errorf("%s: at %s: %s", lasts, at, page)
		}
		if ended := outcome(t, h, first(t, h, lasts)); ended["outcome"] != want {
			t.Errorf("%s: %v", lasts, ended)
		}
	}
	if done := audited(t, h, 3); !slices.Contains(done, "freeze operator console@127.0.0.1 <i>work</i>") {
		t.Errorf("in the audit stands %q", done)
	}
}

// What a sender wrote is text wherever it is shown, and a dead letter is tried again.
func TestConsoleShowsWhatOthersWroteAsText(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir()})
	v := visit(t, h)
	const evil = `<script>alert(1)</script>`
	hostile := strings.Replace(started(evil), "i-db1", `<img src=x onerror=alert(1)>`, 1)
	ask(t, h, http.MethodPost, "/events", hostile)
	ask(t, h, http.MethodPost, "/events", strings.Replace(started("dead"), `"i-db1"`, `7,"x":"`+evil+`"`, 1))
	_, _, page := v.see("/?q=" + url.QueryEscape(evil))
	_, list := ask(t, h, http.MethodGet, "/api/stories", "")
	seen := page
	for _, s := range list["stories"].([]any) {
		_, _, page := v.see("/stories/" + s.(map[string]any)["id"].(string))
		seen += page
	}
	_, dead := ask(t, h, http.MethodGet, "/api/deadletters", "")
	letters := dead["deadLetters"].([]any)
	if len(letters) != 1 {
		t.Fatalf("%d dead letters", len(letters))
	}
	_, _, letter := v.see("/deadletters/" + letters[0].(map[string]any)["id"].(string))
	seen += letter
	_, _, nothing := v.see("/stories/" + url.PathEscape(evil))
	if seen += nothing; strings.Contains(seen, "<script>") || strings.Contains(seen, "<img src=x") || strings.Count(seen, "&lt;script&gt;") < 4 {
		t.Errorf("it shows %s", seen)
	}
}

// Who has no token sees the login alone; with a session one sees and does all, and an
// evil page or a form of another session nothing.
func TestPromise12ConsoleSessions(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir(), Guard: tokens})
	v := visit(t, h)
	for _, path := range []string{"/", "/stories", "/stories/0123456789abcdef01234567", "/recover?havip=orders-db", "/freeze"} {
		if _, at, page := v.see(path); !strings.HasPrefix(at, "/login?to=") || strings.Contains(page, "orders-db") && !strings.Contains(path, "orders-db") {
			t.Errorf("%s: a stranger is at %s and sees %s", path, at, page)
		}
	}
	_, _, page := v.see("/login?to=%2Fstories")
	for _, wrong := range []string{"reporters-sesame", "sesame", ""} {
		if status, _, page := v.send("/login", fill(page, "/login", "token", wrong)); status != http.StatusUnauthorized || strings.Contains(page, "sesame") {
			t.Errorf("%q logs in: %d %s", wrong, status, page)
		}
	}
	answer, err := v.Do(v.request(http.MethodPost, "/login", fill(page, "/login", "token", "operators-sesame")))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.Request.URL.Path != "/stories" {
		t.Errorf("logged in it is at %s", answer.Request.URL)
	}
	given := answer.Request.Response.Header.Get("Set-Cookie")
	for _, part := range []string{"HttpOnly", "SameSite=Strict", "Max-Age=43200"} {
		if !strings.Contains(given, part) || strings.Contains(given, "sesame") {
			t.Errorf("the cookie is %s", given)
		}
	}
	_, _, page = v.see("/freeze?havip=orders-db")
	form := fill(page, "/freeze", "for", "2h", "reason", "x")
	for header, want := range map[string]int{
		"Sec-Fetch-Site: cross-site": http.StatusForbidden, "Sec-Fetch-Site: same-site": http.StatusForbidden,
		"Origin: https://evil.example": http.StatusForbidden, "Origin: null": http.StatusForbidden,
		"Origin: http://" + h.Addr: http.StatusOK, "Sec-Fetch-Site: same-origin": http.StatusOK,
	} {
		r := v.request(http.MethodPost, "/freeze", form)
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
		if status, _, page := v.open(r); status != want {
			t.Errorf("%s: %d %s", header, status, page)
		}
	}
	form.Set("form", guard.NewSessions(tokens).Form(guard.Operator, "another"))
	if status, _, page := v.send("/freeze", form); status != http.StatusForbidden {
		t.Errorf("a form of another session: %d %s", status, page)
	}
	r := v.request(http.MethodGet, "/api/havips", nil)
	if status, _, _ := v.open(r); status != http.StatusUnauthorized {
		t.Errorf("the API takes a cookie: %d", status)
	}
	_, _, page = v.see("/")
	if _, at, _ := v.send("/logout", fill(page, "/logout")); at != "/login" {
		t.Errorf("logged out it is at %s", at)
	}
	if _, at, _ := v.see("/"); !strings.HasPrefix(at, "/login") {
		t.Errorf("after that it sees %s", at)
	}
}

// A reader sees what happened and no button, and does nothing with a form of his own.
func TestPromise12AReaderOnlyLooks(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir(), Guard: tokens})
	v := visit(t, h)
	_, _, page := v.see("/login?to=%2F")
	status, at, page := v.send("/login", fill(page, "/login", "token", "readers-sesame"))
	if status != http.StatusOK || at != "/" || !strings.Contains(page, "orders-db") {
		t.Fatalf("logged in he is at %s: %d %s", at, status, page)
	}
	for _, button := range []string{"/recover", "/freeze", "/world", "/lift"} {
		if strings.Contains(page, `"`+button) {
			t.Errorf("he sees %s: %s", button, page)
		}
	}
	for _, path := range []string{"/recover?havip=orders-db", "/freeze", "/world", "/deadletters/x"} {
		if status, _, _ := v.see(path); status != http.StatusForbidden {
			t.Errorf("%s: %d", path, status)
		}
	}
	form := fill(page, "/logout")
	form.Set("for", "2h")
	form.Set("reason", "x")
	if status, _, page := v.send("/freeze", form); status != http.StatusForbidden || !strings.Contains(page, "HAVIP_OPERATOR_TOKEN") {
		t.Errorf("he freezes: %d %s", status, page)
	}
	if status, _, _ := v.see("/stories"); status != http.StatusOK {
		t.Errorf("the stories: %d", status)
	}
	if _, at, _ := v.send("/logout", fill(page, "/logout")); at != "/login" {
		t.Errorf("logged out he is at %s", at)
	}
}

// Without a token it is for this machine alone, and for no page of others.
func TestConsoleWithoutTokens(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir()})
	v := visit(t, h)
	_, _, page := v.see("/freeze?havip=orders-db")
	form := fill(page, "/freeze", "for", "2h", "reason", "x")
	for _, c := range []struct {
		method, path, host, header string
		want                       int
	}{
		{"GET", "/", "evil.example", "", http.StatusForbidden},
		{"POST", "/freeze", "evil.example", "", http.StatusForbidden},
		{"POST", "/freeze", "", "https://evil.example", http.StatusForbidden},
		{"POST", "/freeze", "", "http://" + h.Addr, http.StatusOK},
	} {
		r := v.request(c.method, c.path, form)
		r.Host = c.host
		if c.header != "" {
			r.Header.Set("Origin", c.header)
		}
		status, _, page := v.open(r)
		if status != c.want || status != http.StatusOK && strings.Contains(page, "orders-db") {
			t.Errorf("%+v: %d %s", c, status, page)
		}
	}
	form.Del("form")
	if status, _, _ := v.send("/freeze", form); status != http.StatusForbidden {
		t.Errorf("a form without its mark: %d", status)
	}
}
