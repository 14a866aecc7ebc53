package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"havip-functions/shared/runtime"
	"havip-functions/shared/runtime/fc"
)

// go1 is a few instances of the go1 runtime, with many calls at a time, which they
// fetch from FC's runtime API.
type go1 struct {
	said    []*output
	slots   chan struct{}
	next    chan go1Call
	waiting sync.Map // request id → chan bool
}

type go1Call struct {
	header  http.Header
	payload []byte
}

func openGo1(t *testing.T, env []string) instance {
	t.Helper()
	g := &go1{next: make(chan go1Call), slots: make(chan struct{}, 20)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2020-11-11/runtime/invocation/next", g.serveNext)
	mux.HandleFunc("POST /2020-11-11/runtime/invocation/{id}/{verb}", g.serveAnswer)
	api := httptest.NewServer(mux)
	t.Cleanup(api.Close)
	for range 2 {
		p := start(t, append(env, "FC_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://")))
		g.said = append(g.said, p.log)
	}
	return g
}

func (g *go1) logs() []*output { return g.said }

func (g *go1) room() chan struct{} { return g.slots }

func (g *go1) run(ctx context.Context, do call, header http.Header) (bool, error) {
	answer := make(chan bool, 1)
	g.waiting.Store(header.Get("x-fc-request-id"), answer)
	select {
	case g.next <- go1Call{header, do.payload}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	select {
	case succeeded := <-answer:
		return succeeded, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (g *go1) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case c := <-g.next:
		for name, values := range c.header {
			w.Header()[name] = values
		}
		_, _ = w.Write(c.payload) // a process that went fails its call by its time
	}
}

func (g *go1) serveAnswer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if answer, ok := g.waiting.LoadAndDelete(r.PathValue("id")); ok {
		answer.(chan bool) <- r.PathValue("verb") == "response"
	}
	w.WriteHeader(http.StatusAccepted)
}

// A deployment may call the function of the follow-ups as it likes.
func TestFollowUpsGoWhereTheEnvironmentSays(t *testing.T) {
	for named, want := range map[string]string{"": "havip-status-check", "db-look-again": "db-look-again"} {
		env := runtime.Environment{Getenv: func(name string) string {
			return map[string]string{"HAVIP_FOLLOWUP_FUNCTION": named}[name]
		}}
		if got := byInvoking(env)(runtime.Call{}).(fc.Bus).Function; got != want {
			t.Errorf("HAVIP_FOLLOWUP_FUNCTION %q: got %s, want %s", named, got, want)
		}
	}
}
