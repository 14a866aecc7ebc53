package fc_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"havip-functions/shared/runtime/fc"
	"havip-functions/shared/runtime/runtimetest"
)

// goAPI plays Function Compute's runtime API: it hands out the calls and keeps
// what was answered. Once all are answered, next blocks, as FC's does.
type goAPI struct {
	next    chan goAPICall
	answers chan goAPIAnswer
	status  int // of its answer to an answer
}

type goAPICall struct{ id, kind, body string }

type goAPIAnswer struct{ path, body string }

func newGoAPI(t *testing.T, calls ...goAPICall) (*goAPI, string) {
	t.Helper()
	a := &goAPI{next: make(chan goAPICall, len(calls)), answers: make(chan goAPIAnswer, len(calls)), status: http.StatusAccepted}
	for _, c := range calls {
		a.next <- c
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2020-11-11/runtime/invocation/next", a.serveNext)
	mux.HandleFunc("POST /2020-11-11/runtime/invocation/{id}/{verb}", a.serveAnswer)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return a, strings.TrimPrefix(s.URL, "http://")
}

func (a *goAPI) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case c := <-a.next:
		w.Header().Set("x-fc-request-id", c.id)
		w.Header().Set("x-fc-function-type", c.kind)
		w.Header().Set("x-fc-function-name", "havip-sweep")
		w.Header().Set("x-fc-access-key-id", "key-"+c.id)
		w.Header().Set("x-fc-function-deadline", "99999999999999")
		io.WriteString(w, c.body)
	}
}

func (a *goAPI) serveAnswer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.answers <- goAPIAnswer{r.PathValue("id") + "/" + r.PathValue("verb"), string(body)}
	w.WriteHeader(a.status)
}

func TestGo1(t *testing.T) {
	tests := []struct {
		call goAPICall
		want goAPIAnswer
	}{
		{goAPICall{"r0", "1", ""}, goAPIAnswer{"r0/response", ""}},
		{goAPICall{"r1", "0", "{}"}, goAPIAnswer{"r1/response", ""}},
		{goAPICall{"r2", "0", "fail"}, goAPIAnswer{"r2/error", `{"errorMessage":"broken in two lines","errorType":"Error"}`}},
		{goAPICall{"r3", "0", "panic"}, goAPIAnswer{"r3/error", `{"errorMessage":"the function panicked: boom; see its log","errorType":"Panic"}`}},
		{goAPICall{"r4", "0", "call"}, goAPIAnswer{"r4/error", `{"errorMessage":"id=r4 region= account= function=havip-sweep retry=0 key=key-r4 token= bounded=true","errorType":"Error"}`}},
		{goAPICall{"r5", "3", "fail"}, goAPIAnswer{"r5/response", ""}},
		{goAPICall{"r6", "2", "fail"}, goAPIAnswer{"r6/response", ""}},
		{goAPICall{"r7", "9", ""}, goAPIAnswer{"r7/error", `{"errorMessage":"a call of type \"9\" is not served","errorType":"Error"}`}},
	}
	calls := make([]goAPICall, len(tests))
	for i, tt := range tests {
		calls[i] = tt.call
	}
	api, address := newGoAPI(t, calls...)
	initialized := false
	ready := func(context.Context) error { initialized = true; return nil }
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- fc.Go1{API: address, Functions: runtimetest.Scripted, Log: runtimetest.Quiet(), Ready: ready}.Run(ctx)
	}()
	for _, tt := range tests {
		if got := <-api.answers; got != tt.want {
			t.Errorf("got %+v, want %+v", got, tt.want)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("a stop is no error: %v", err)
	}
	if !initialized {
		t.Error("the initializer did nothing")
	}
}

func TestGo1EndsWithItsAPI(t *testing.T) {
	for name, tt := range map[string]struct {
		address func(t *testing.T) string
		want    string
	}{
		"refuses to hand out": {func(t *testing.T) string {
			s := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(s.Close)
			return strings.TrimPrefix(s.URL, "http://")
		}, "it answered 404"},
		"refuses an answer": {func(t *testing.T) string {
			api, address := newGoAPI(t, goAPICall{"r1", "0", "{}"})
			api.status = http.StatusForbidden
			return address
		}, "call r1 can't be answered"},
		"is gone": {func(*testing.T) string {
			s := httptest.NewServer(nil)
			s.Close()
			return strings.TrimPrefix(s.URL, "http://")
		}, "the next call can't be fetched"},
	} {
		t.Run(name, func(t *testing.T) {
			err := fc.Go1{API: tt.address(t), Functions: runtimetest.Scripted, Log: runtimetest.Quiet()}.Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
