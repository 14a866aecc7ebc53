// Package console is the page of a host, for people who would rather look than read. It
// is rendered on the server and works without a script; with one it stays up to date.
package console

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzhttp"

	"havip-functions/shared/api"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// Host is what the page shows of one and lets people do, each by the function that
// answers the API too.
type Host struct {
	Overview    func(ctx context.Context) (api.HAVIPs, error)
	Stories     func(ctx context.Context, pick, from string) (api.Stories, error)
	Story       func(ctx context.Context, id string) (api.Story, error)
	Roster      func() api.Roster
	DeadLetters func(ctx context.Context) ([]ledger.DeadLetter, error)
	DeadLetter  func(ctx context.Context, id string) (ledger.DeadLetter, error)

	Plan        func(ctx context.Context, event []byte) ([]havip.Plan, error)
	Say         func(ctx context.Context, event []byte) ([]api.Accepted, error)
	Freeze      func(ctx context.Context, f api.Freezing) (api.Frozen, error)
	Lift        func(ctx context.Context, l api.Lifting) (api.Lifted, error)
	PlanRedrive func(ctx context.Context, id string, asOperator bool) ([]havip.Plan, error)
	Redrive     func(ctx context.Context, id string, why api.Redriving) ([]api.Accepted, error)

	Outcomes Outcomes
	World    World // nil where the clouds are real

	Guard  guard.Guard
	Secure func(*http.Request) bool   // it came by TLS, to us or to a proxy that we trust
	From   func(*http.Request) string // where it came from, past a proxy that we trust
	Log    *slog.Logger
}

//go:embed assets
var assets embed.FS

// Console answers what a browser asks for.
type Console struct {
	host     Host
	front    shared[front]
	sessions guard.Sessions
	mux      *http.ServeMux
	packed   http.Handler // the same, for who takes it compressed
	viewers  atomic.Int32
	stopped  context.Context //nolint:containedctx // ends every stream at once
	Stop     func()          // ends the streams of all viewers
}

// New builds the page of a host.
func New(h Host) *Console {
	c := &Console{host: h, front: shared[front]{read: h.front}, sessions: guard.NewSessions(h.Guard), mux: http.NewServeMux()}
	c.stopped, c.Stop = context.WithCancel(context.Background())
	c.mux.Handle("GET /assets/", http.FileServerFS(assets))
	c.mux.HandleFunc("GET /login", c.showLogin)
	c.mux.HandleFunc("POST /login", c.login)
	for pattern, show := range map[string]http.HandlerFunc{
		"GET /{$}": c.showOverview, "GET /live": c.live, "GET /stories": c.showStories, "GET /stories/{id}": c.showStory,
		"POST /logout": c.logout, "/": c.notFound,
	} {
		c.mux.HandleFunc(pattern, c.only(guard.Reader, show))
	}
	for pattern, show := range map[string]http.HandlerFunc{
		"GET /recover": c.showRecover, "POST /recover": c.recover,
		"GET /freeze": c.showFreeze, "POST /freeze": c.freeze, "POST /lift": c.lift,
		"GET /deadletters/{id}": c.showLetter, "POST /deadletters/{id}": c.redrive,
		"GET /world": c.showWorld, "POST /world": c.moveWorld,
	} {
		c.mux.HandleFunc(pattern, c.only(guard.Operator, show))
	}
	pack, err := gzhttp.NewWrapper(gzhttp.RandomJitter(jitter, 0, false)) // else its length could tell what a form carries
	if err != nil {
		panic(err) // the options are constants
	}
	c.packed = pack(c.mux)
	return c
}

// jitter is how many bytes a compressed page may be longer by chance.
const jitter = 64

func (c *Console) only(needs guard.Scope, show http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if c.admitted(w, r, needs) {
			show(w, r)
		}
	}
}

// Owns tells whether a path is the page's. The page judges itself who may see it.
func Owns(path string) bool {
	if path == "/" {
		return true
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "stories", "assets", "login", "logout", "recover", "freeze", "lift", "deadletters", "live", "world":
		return true
	}
	return false
}

// policy lets nothing in that we did not embed.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// ServeHTTP implements [http.Handler].
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if strings.HasPrefix(r.URL.Path, "/assets/") {
		h.Set("Cache-Control", "no-cache")
	} else {
		h.Set("Cache-Control", "no-store")
	}
	if r.URL.Path == "/live" { // which is sent line by line
		c.mux.ServeHTTP(w, r)
		return
	}
	c.packed.ServeHTTP(w, r)
}
