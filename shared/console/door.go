package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"havip-functions/shared/guard"
)

const sessionCookie = "havip-session"

// maxForm bounds what a form may have; nobody's is longer.
const maxForm = 16 << 10

// admitted lets operators in: with their token as the API takes it, with a session, or,
// where no token is set, on this machine. It has answered any other. Changes need a form
// of ours beside, and a browser that sends it for our own page.
func (c *Console) admitted(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	session, err := c.proof(r)
	if err == nil && r.Method == http.MethodPost {
		err = c.ours(r, session)
	}
	if err == nil {
		return true
	}
	if !c.host.Guard.Open() && r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/login?to="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return false
	}
	c.host.Log.Warn("turned away", "from", r.RemoteAddr, "method", r.Method, "path", r.Pattern, "error", err)
	c.refuse(w, r, err)
	return false
}

// proof returns the session of who may look; "" where it is not one that shows it.
func (c *Console) proof(r *http.Request) (session string, err error) {
	if kept, missing := r.Cookie(sessionCookie); missing == nil && !c.host.Guard.Open() && r.Header.Get("Authorization") == "" {
		if c.sessions.Fits(kept.Value, time.Now()) {
			return kept.Value, nil
		}
		return "", fmt.Errorf("%w: the session has ended; log in again", guard.ErrUnproven)
	}
	scope, err := c.host.Guard.Token(r)
	if err == nil {
		err = scope.Check(r.Method+" "+r.URL.Path, guard.Operator)
	}
	return "", err
}

// ours refuses a form that another site sends, or that is not of the session.
func (c *Console) ours(r *http.Request, session string) error {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return fmt.Errorf("%w: a web page of another site asks for this", guard.ErrForbidden)
	}
	if !c.sessions.FormFits(session, r.PostFormValue("form")) {
		return fmt.Errorf("%w: the form is not of this session, or from before a restart; load the page again", guard.ErrForbidden)
	}
	return nil
}

// logging is what the login page has.
type logging struct {
	To    string
	Wrong bool
	Able  bool // an operator's token is set
}

func (c *Console) showLogin(w http.ResponseWriter, r *http.Request) {
	if c.host.Guard.Open() {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	c.render(w, r, http.StatusOK, "login", frame{Title: "Log in", Main: c.logging(r, false)})
}

func (c *Console) logging(r *http.Request, wrong bool) logging {
	return logging{local(r.FormValue("to")), wrong, len(c.host.Guard.Operators) > 0}
}

// login gives a session for an operator's token.
func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if http.NewCrossOriginProtection().Check(r) != nil {
		c.say(w, r, http.StatusForbidden, "This is not allowed", "a web page of another site asks for this")
		return
	}
	if !c.host.Guard.Operates(r.PostFormValue("token")) {
		c.host.Log.Warn("turned away", "from", r.RemoteAddr, "method", r.Method, "path", r.Pattern, "error", "no operator's token")
		c.render(w, r, http.StatusUnauthorized, "login", frame{Title: "Log in", Main: c.logging(r, true)})
		return
	}
	c.host.Log.Info("logged in", "from", r.RemoteAddr)
	c.keep(w, r, c.sessions.Open(time.Now()), guard.SessionFor)
	http.Redirect(w, r, local(r.PostFormValue("to")), http.StatusSeeOther)
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	c.keep(w, r, "", -time.Second)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (c *Console) keep(w http.ResponseWriter, r *http.Request, session string, d time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure wherever it came by TLS; on loopback there is none
		Name: sessionCookie, Value: session, Path: "/", MaxAge: int(d / time.Second),
		HttpOnly: true, Secure: c.host.Secure(r), SameSite: http.SameSiteStrictMode,
	})
}

// local is a place on this host, the first page for any other.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") || !Owns(u.Path) {
		return "/"
	}
	return to
}
