package fc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"havip-functions/shared/runtime"
	"havip-functions/shared/runtime/fc"
	"havip-functions/shared/runtime/runtimetest"
)

// driver calls as Function Compute does: it believes x-fc-status alone.
type driver struct {
	url     string
	headers map[string]string
}

type failure struct{ ErrorMessage, ErrorType string }

// call returns nil for a success.
func (d driver) call(t *testing.T, request, body string) *failure {
	t.Helper()
	answer := d.send(t, request, body)
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	switch answer.Header.Get("x-fc-status") {
	case "200":
		return nil
	case "404":
		return failureOf(t, said)
	default:
		t.Errorf("%s: x-fc-status is %q, FC counts that as a success", request, answer.Header.Get("x-fc-status"))
		return nil
	}
}

func (d driver) send(t *testing.T, request, body string) *http.Response {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range d.headers {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func failureOf(t *testing.T, said []byte) *failure {
	t.Helper()
	var f failure
	if err := json.Unmarshal(said, &f); err != nil || strings.Contains(string(said), "\n") {
		t.Errorf("a failure must be one line of JSON, got %q: %v", said, err)
	}
	return &f
}

func customServer(t *testing.T, h fc.Custom) driver {
	t.Helper()
	h.Log = runtimetest.Quiet()
	if h.Lines == nil {
		h.Lines = io.Discard
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return driver{url: s.URL, headers: map[string]string{"x-fc-function-timeout": "60"}}
}

func TestCustom(t *testing.T) {
	d := customServer(t, fc.Custom{Functions: runtimetest.Scripted})
	for name, tt := range map[string]struct {
		request, body, function, timeout string
		want                             *failure
	}{
		"success":         {request: "POST /invoke", body: "{}"},
		"error":           {"POST /invoke", "fail", "", "60", &failure{"broken in two lines", "Error"}},
		"busy":            {"POST /invoke", "busy", "", "60", &failure{"AssociateHaVip: busy (Throttling)", "Busy"}},
		"refused":         {"POST /invoke", "refused", "", "60", &failure{"story 1: refused", "Refused"}},
		"panic":           {"POST /invoke", "panic", "", "60", &failure{"the function panicked: boom; see its log", "Panic"}},
		"out of time":     {"POST /invoke", "wait", "", "1", &failure{"context deadline exceeded", "Timeout"}},
		"no function":     {"POST /invoke", "{}", "havip-unknown", "60", &failure{"no such function: havip-unknown", "Error"}},
		"too large":       {"POST /invoke", strings.Repeat("x", 1<<20+1), "", "60", &failure{"the event is larger than 1048576 bytes; send a smaller one", "Error"}},
		"wrong method":    {"GET /invoke", "", "", "60", &failure{"GET /invoke is not served; POST an event to /invoke", "Error"}},
		"wrong path":      {"POST /events", "{}", "", "60", &failure{"POST /events is not served; POST an event to /invoke", "Error"}},
		"always ready":    {request: "POST /initialize"},
		"nothing to stop": {request: "POST /pre-stop"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := driver{d.url, map[string]string{"x-fc-function-timeout": tt.timeout, "x-fc-function-name": tt.function}}
			expect(t, d.call(t, tt.request, tt.body), tt.want)
		})
	}
}

func expect(t *testing.T, got, want *failure) {
	t.Helper()
	if got == nil || want == nil {
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		return
	}
	if *got != *want {
		t.Errorf("got %+v, want %+v", *got, *want)
	}
}

func TestCustomSaysWhatFCSaid(t *testing.T) {
	d := customServer(t, fc.Custom{Functions: runtimetest.Scripted})
	d.headers = map[string]string{
		"x-fc-request-id": "r1", "x-fc-region": "cn-hangzhou", "x-fc-account-id": "42", "x-fc-function-name": "havip-sweep",
		"x-fc-retry-count": "2", "x-fc-access-key-id": "k", "x-fc-access-key-secret": "s", "x-fc-security-token": "t",
		"x-fc-function-timeout": "60",
	}
	want := "id=r1 region=cn-hangzhou account=42 function=havip-sweep retry=2 key=k token=t bounded=true"
	if got := d.call(t, "POST /invoke", "call"); got == nil || got.ErrorMessage != want {
		t.Errorf("got %+v, want %s", got, want)
	}
}

// Two calls are under way at once, and each signs with its own credentials.
func TestCustomKeepsCredentialsApart(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	d := customServer(t, fc.Custom{Functions: func(_ context.Context, c runtime.Call) (runtime.Invoker, error) {
		return runtimetest.Func(func(_ context.Context, payload []byte) error {
			both.Done()
			both.Wait()
			if want := string(payload); c.Credentials.AccessKeySecret != want {
				return fmt.Errorf("the call of %s signs with another's credentials", want)
			}
			return nil
		}), nil
	}})
	var done sync.WaitGroup
	for _, secret := range []string{"one", "two"} {
		done.Go(func() {
			d := driver{d.url, map[string]string{"x-fc-access-key-secret": secret}}
			expect(t, d.call(t, "POST /invoke", secret), nil)
		})
	}
	done.Wait()
}

func TestCustomReady(t *testing.T) {
	for name, tt := range map[string]struct {
		ready func(context.Context) error
		want  *failure
	}{
		"ready":     {func(context.Context) error { return nil }, nil},
		"not ready": {func(context.Context) error { return errors.New("no roster") }, &failure{"no roster", "Error"}},
		"panics":    {func(context.Context) error { panic("boom") }, &failure{"the function panicked: boom; see its log", "Panic"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := customServer(t, fc.Custom{Functions: runtimetest.Scripted, Ready: tt.ready})
			expect(t, d.call(t, "POST /initialize", ""), tt.want)
		})
	}
}

func TestCustomLogLines(t *testing.T) {
	var lines strings.Builder
	d := customServer(t, fc.Custom{Functions: runtimetest.Scripted, Lines: &lines})
	d.headers = map[string]string{"x-fc-request-id": "r1"}
	if d.call(t, "POST /invoke", "panic") == nil {
		t.Error("a panic was a success")
	}
	want := "FC Invoke Start RequestId: r1\nFC Invoke End RequestId: r1\n"
	if lines.String() != want {
		t.Errorf("got %q, want %q", lines.String(), want)
	}
}

func TestCustomWeb(t *testing.T) {
	web := http.NewServeMux()
	web.HandleFunc("POST /events", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	web.HandleFunc("POST /panic", func(http.ResponseWriter, *http.Request) { panic("boom") })
	d := customServer(t, fc.Custom{
		Functions: func(context.Context, runtime.Call) (runtime.Invoker, error) { panic("forged") },
		Web:       func(context.Context, runtime.Call) (http.Handler, error) { return web, nil },
	})
	for request, want := range map[string][2]string{
		"POST /events":     {"202", "200"},
		"GET /events":      {"405", "200"}, // the sender's fault, no failure of ours
		"POST /invoke":     {"404", "200"},
		"POST /initialize": {"404", "200"},
		"POST /panic":      {"404", "404"},
	} {
		answer := d.send(t, request, "{}")
		answer.Body.Close()
		if got := [2]string{fmt.Sprint(answer.StatusCode), answer.Header.Get("x-fc-status")}; got != want {
			t.Errorf("%s: got %v, want %v", request, got, want)
		}
	}
}
