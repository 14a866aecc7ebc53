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

// admitted lets operators in, and readers where that is enough: with their token as the
// API takes it, with a session, or, where no token is set, on this machine. It has
// answered any other. Changes need a form of ours beside, and a browser that sends it for
// our own page.
func (c *Console) admitted(w http.ResponseWriter, r *http.Request, needs guard.Scope) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	p, err := c.proof(r)
	if err == nil {
		err = p.scope.Check(r.Method+" "+r.URL.Path, needs)
	}
	if err == nil && r.Method == http.MethodPost {
		err = c.ours(r, p)
	}
	if err == nil {
		return true
	}
	if p.scope != guard.Reader && !c.host.Guard.Open() && r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/login?to="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return false
	}
	c.host.Log.Warn("turned away", "from", r.RemoteAddr, "method", r.Method, "path", r.Pattern, "error", err)
	c.refuse(w, r, err)
	return false
}

// proof is what somebody has shown: a scope, by a session where that is not "".
type proof struct {
	scope   guard.Scope
	session string
}

func (c *Console) proof(r *http.Request) (p proof, err error) {
	if kept, missing := r.Cookie(sessionCookie); missing == nil && !c.host.Guard.Open() && r.Header.Get("Authorization") == "" {
		if scope := c.sessions.Scope(kept.Value, time.Now()); scope != guard.Stranger {
			return proof{scope, kept.Value}, nil
		}
		return proof{}, fmt.Errorf("%w: the session has ended; log in again", guard.ErrUnproven)
	}
	p.scope, err = c.host.Guard.Token(r)
	return p, err
}

// ours refuses a form that another site sends, or that is not of the session.
func (c *Console) ours(r *http.Request, p proof) error {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return fmt.Errorf("%w: a web page of another site asks for this", guard.ErrForbidden)
	}
	if !c.sessions.FormFits(p.scope, p.session, r.PostFormValue("form")) {
		return fmt.Errorf("%w: the form is not of this session, or from before a restart; load the page again", guard.ErrForbidden)
	}
	return nil
}

// logging is what the login page has.
type logging struct {
	To    string
	Wrong bool
	Able  bool // there is a token that lets in
}

func (c *Console) showLogin(w http.ResponseWriter, r *http.Request) {
	if c.host.Guard.Open() {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	c.render(w, r, http.StatusOK, "login", frame{Title: "Log in", Main: c.logging(r, false)})
}

func (c *Console) logging(r *http.Request, wrong bool) logging {
	return logging{local(r.FormValue("to")), wrong, len(c.host.Guard.Operators)+len(c.host.Guard.Readers) > 0}
}

// login gives a session for an operator's or a reader's token.
func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if http.NewCrossOriginProtection().Check(r) != nil {
		c.say(w, r, http.StatusForbidden, "This is not allowed", "a web page of another site asks for this")
		return
	}
	scope := c.host.Guard.Sees(r.PostFormValue("token"))
	if scope == guard.Stranger {
		c.host.Log.Warn("turned away", "from", r.RemoteAddr, "method", r.Method, "path", r.Pattern, "error", "no operator's or reader's token")
		c.render(w, r, http.StatusUnauthorized, "login", frame{Title: "Log in", Main: c.logging(r, true)})
		return
	}
	c.host.Log.Info("logged in", "from", r.RemoteAddr, "scope", scope.String())
	c.keep(w, r, c.sessions.Open(scope, time.Now()), guard.SessionFor)
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
