package fc_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/runtime"
	"havip-functions/shared/runtime/fc"
	"havip-functions/shared/runtime/runtimetest"
)

// goAPI plays Function Compute's runtime API: it hands out the calls and keeps
// what was answered. Once all are answered, next blocks, as FC's does.
type goAPI struct {
	next    chan goAPICall
	answers chan goAPIAnswer
	status  int                            // of its answer to an answer
	amiss   chan func(http.ResponseWriter) // what it does before it hands out the first
}

type goAPICall struct{ id, kind, body string }

type goAPIAnswer struct{ path, body string }

func newGoAPI(t *testing.T, calls ...goAPICall) (*goAPI, string) {
	t.Helper()
	a := &goAPI{next: make(chan goAPICall, len(calls)), answers: make(chan goAPIAnswer, len(calls)), status: http.StatusAccepted, amiss: make(chan func(http.ResponseWriter), 2)}
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
	case do := <-a.amiss:
		do(w)
		return
	default:
	}
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
	got := map[goAPIAnswer]bool{}
	for range tests {
		got[<-api.answers] = true // in whatever order
	}
	for _, tt := range tests {
		if !got[tt.want] {
			t.Errorf("%s: %+v is missing in %v", tt.call.id, tt.want, got)
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

// Eight calls at once are all under way before the first is answered, and a stop
// leaves none of them unanswered.
func TestGo1RunsCallsAtOnce(t *testing.T) {
	const calls = 8
	list := make([]goAPICall, calls)
	for i := range list {
		list[i] = goAPICall{fmt.Sprintf("r%d", i), "0", "{}"}
	}
	api, address := newGoAPI(t, list...)
	under, release := make(chan struct{}, calls), make(chan struct{})
	slow := func(context.Context, runtime.Call) (runtime.Invoker, error) {
		return runtimetest.Func(func(context.Context, []byte) error {
			under <- struct{}{}
			<-release
			return nil
		}), nil
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- fc.Go1{API: address, Functions: slow, Log: runtimetest.Quiet()}.Run(ctx) }()
	for range calls {
		select {
		case <-under:
		case <-time.After(20 * time.Second):
			t.Fatal("the calls wait for each other")
		}
	}
	stop()
	select {
	case err := <-done:
		t.Fatalf("it ended before its calls: %v", err)
	default:
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := len(api.answers); got != calls {
		t.Errorf("%d calls are answered, want %d", got, calls)
	}
}

// What the runtime API does amiss ends nothing: a next that fails, and an answer
// that is not taken.
func TestGo1SurvivesItsAPI(t *testing.T) {
	for name, amiss := range map[string]func(http.ResponseWriter){
		"refuses to hand out": func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) },
		"drops the line":      func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"cuts a call short": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "9")
			io.WriteString(w, "{")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api, address := newGoAPI(t, goAPICall{"r1", "0", "{}"}, goAPICall{"r2", "0", "{}"})
			api.amiss <- amiss
			api.amiss <- amiss
			api.status = http.StatusForbidden // of the answers too
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				done <- fc.Go1{API: address, Functions: runtimetest.Scripted, Log: runtimetest.Quiet()}.Run(ctx)
			}()
			for range 2 {
				if got := <-api.answers; !strings.HasSuffix(got.path, "/response") {
					t.Errorf("got %+v", got)
				}
			}
			stop()
			if err := <-done; err != nil {
				t.Errorf("a stop is no error: %v", err)
			}
		})
	}
}
