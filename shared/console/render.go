package console

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"havip-functions/events"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

//go:embed page
var pages embed.FS

// sheets are the templates by language and name.
var sheets = map[string]map[string]*template.Template{"en": parsed("en"), "zh": parsed("zh")}

func parsed(lang string) map[string]*template.Template {
	found := map[string]*template.Template{}
	for _, name := range []string{"overview", "stories", "story", "message", "login", "recover", "plan", "freeze", "letter", "world"} {
		found[name] = template.Must(template.New("frame.html").Funcs(funcs(lang)).
			ParseFS(pages, "page/frame.html", "page/parts.html", "page/"+name+".html"))
	}
	return found
}

// frame is what every page has.
type frame struct {
	Lang  string
	Title string
	Now   time.Time
	Here  string // path and query, without the language
	Live  bool   // the script keeps it up to date
	Main  any

	World   bool   // there is one to move
	Session bool   // there is one to end
	Acts    bool   // who reads it may change something
	Form    string // which forms carry
}

func (c *Console) render(w http.ResponseWriter, r *http.Request, status int, name string, f frame) {
	f.Lang, f.Now, f.Here = language(w, r), time.Now().UTC(), here(r)
	f.World = c.host.World != nil
	if p, err := c.proof(r); err == nil && p.scope.May(guard.Reader) {
		f.Session, f.Acts, f.Form = p.session != "", p.scope.May(guard.Operator), c.sessions.Form(p.scope, p.session)
	}
	var page bytes.Buffer
	if err := sheets[f.Lang][name].Execute(&page, f); err != nil {
		c.host.Log.Error("the page can't be rendered", "page", name, "error", err)
		http.Error(w, "an error of ours; see the log", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the reader may have gone
}

// here is where the page can be read again: what a form brought can't.
func here(r *http.Request) string {
	if r.Method == http.MethodPost {
		return "/?"
	}
	q := r.URL.Query()
	q.Del("lang")
	return r.URL.Path + "?" + q.Encode()
}

// message is a page that says one thing.
type message struct{ Says, Detail string }

func (c *Console) say(w http.ResponseWriter, r *http.Request, status int, says, detail string) {
	c.render(w, r, status, "message", frame{Title: says, Main: message{says, detail}})
}

func (c *Console) notFound(w http.ResponseWriter, r *http.Request) {
	c.say(w, r, http.StatusNotFound, "There is nothing here", r.URL.Path)
}

// refuse turns away who has shown no proof, or too little.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, says := http.StatusUnauthorized, "This needs an operator"
	if errors.Is(err, guard.ErrForbidden) {
		status, says = http.StatusForbidden, "This is not allowed"
	}
	c.say(w, r, status, says, err.Error())
}

// fail says why something could not be shown or done.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		c.say(w, r, http.StatusNotFound, "There is nothing here", err.Error())
	case errors.Is(err, guard.ErrForbidden):
		c.say(w, r, http.StatusForbidden, "This is not allowed", err.Error())
	case errors.Is(err, events.ErrInvalid):
		c.say(w, r, http.StatusBadRequest, "This can't be done", err.Error())
	default:
		c.say(w, r, http.StatusServiceUnavailable, "It can't be read now", err.Error())
	}
}

func funcs(lang string) template.FuncMap {
	return template.FuncMap{
		"t":      func(text string) string { return say(lang, text) },
		"stamp":  func(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05") },
		"clock":  func(at time.Time) string { return at.UTC().Format("15:04:05.000") },
		"iso":    func(at time.Time) string { return at.UTC().Format(time.RFC3339) },
		"since":  func(now, at time.Time) string { return span(lang, now.Sub(at)) },
		"tone":   tone,
		"kind":   func(event string) string { return strings.TrimPrefix(event, "havip.") },
		"list":   func(texts []string) string { return strings.Join(texts, ", ") },
		"either": func(a, b string) string { return cmp.Or(a, b) },
		"query":  url.QueryEscape,
		"word":   func(o *havip.Outcome) string { return string(*o) },
	}
}

// tone is the colour of an outcome, beside the word itself.
func tone(outcome any) string {
	switch fmt.Sprint(outcome) {
	case "attached", "unchanged", "serving.restored", "healthy", "accepted", "InUse", "Running":
		return "good"
	case "refused", "timedout", "serving.lost", "failed", "Stopped":
		return "bad"
	case "busy", "unknown", "open", "Associating", "Unassociating":
		return "busy"
	}
	return "dim"
}

// span is a length of time in its largest unit.
func span(lang string, d time.Duration) string {
	d = max(d, 0)
	n, unit := int(d/time.Second), "s"
	switch {
	case d >= 48*time.Hour:
		n, unit = int(d/(24*time.Hour)), "d"
	case d >= 2*time.Hour:
		n, unit = int(d/time.Hour), "h"
	case d >= 2*time.Minute:
		n, unit = int(d/time.Minute), "min"
	}
	return fmt.Sprintf("%d %s", n, say(lang, unit))
}
