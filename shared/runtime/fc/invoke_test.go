package fc_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/shared/havip"
	"havip-functions/shared/runtime"
	"havip-functions/shared/runtime/fc"
	"havip-functions/shared/runtime/runtimetest"
)

const secret, token = "testsk", "an-sts-token"

// cut in a script closes the connection without an answer.
const cut = 0

// fcAPI plays Function Compute's API: it verifies each signature by what the
// request says was signed, answers from its script, then with 202.
type fcAPI struct {
	mu      sync.Mutex
	script  []int
	headers map[string]string
	calls   []fcAPICall
}

type fcAPICall struct {
	path, body string
	header     http.Header
}

func (a *fcAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	a.calls = append(a.calls, fcAPICall{r.Method + " " + r.URL.Path, string(body), r.Header})
	status := http.StatusAccepted
	if len(a.script) > 0 {
		status, a.script = a.script[0], a.script[1:]
	}
	if status == cut {
		panic(http.ErrAbortHandler)
	}
	if why := verify(r, body); why != "" {
		status = http.StatusForbidden
	}
	for k, v := range a.headers {
		w.Header().Set(k, v)
	}
	w.Header().Set("x-fc-request-id", "req-1")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"Code":"Code%d","Message":"server string to sign: %s %s"}`, status, token, secret)
}

// verify rebuilds the signature as a server does, and says what is wrong.
func verify(r *http.Request, body []byte) string {
	_, rest, _ := strings.Cut(r.Header.Get("Authorization"), ",SignedHeaders=")
	names, signature, _ := strings.Cut(rest, ",Signature=")
	signed := strings.Split(names, ";")
	for _, must := range []string{"host", "content-type", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version", "x-acs-security-token"} {
		if !slices.Contains(signed, must) {
			return must + " is not signed"
		}
	}
	if slices.ContainsFunc(signed, func(name string) bool { return strings.HasPrefix(name, "x-fc-") }) {
		return "x-fc-* is signed"
	}
	sum := sha256.Sum256(body)
	canonical := r.Method + "\n" + r.URL.EscapedPath() + "\n" + r.URL.RawQuery + "\n"
	for _, name := range signed {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		canonical += name + ":" + value + "\n"
	}
	canonical += "\n" + names + "\n" + hex.EncodeToString(sum[:])
	sum = sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "ACS3-HMAC-SHA256\n%x", sum)
	if hex.EncodeToString(mac.Sum(nil)) != signature {
		return "the signature differs"
	}
	return ""
}

func newBus(t *testing.T, api *fcAPI) fc.Bus {
	t.Helper()
	s := httptest.NewServer(api)
	t.Cleanup(s.Close)
	return fc.Bus{Endpoint: s.URL + "/", Function: "havip-status-check", Credentials: func(context.Context) (havip.Credentials, error) {
		return havip.Credentials{AccessKeyID: "testak", AccessKeySecret: secret, SecurityToken: token}, nil
	}}
}

func TestBusPublishes(t *testing.T) {
	for name, tt := range map[string]struct {
		after time.Duration
		want  []string // of x-fc-async-delay
	}{
		"now":      {0, nil},
		"past":     {-time.Hour, nil},
		"soon":     {90*time.Second + 900*time.Millisecond, []string{"91"}},
		"too late": {48 * time.Hour, []string{"3600"}},
	} {
		t.Run(name, func(t *testing.T) {
			api := &fcAPI{}
			if err := newBus(t, api).Publish(t.Context(), runtimetest.StatusCheck(t), tt.after); err != nil {
				t.Fatal(err)
			}
			call := api.calls[0]
			if want := "POST /2023-03-30/functions/havip-status-check/invocations"; call.path != want {
				t.Errorf("got %s, want %s", call.path, want)
			}
			if got := call.header.Values("x-fc-async-delay"); !slices.Equal(got, tt.want) {
				t.Errorf("delay: got %v, want %v", got, tt.want)
			}
			if got := call.header.Get("x-fc-invocation-type"); got != "Async" {
				t.Errorf("invocation type: got %s", got)
			}
			var e event.Event
			if err := e.UnmarshalJSON([]byte(call.body)); err != nil || e.ID() != "check-1" || string(e.Data()) != `{"attempt":2}` || !strings.Contains(call.body, "<&>") {
				t.Errorf("the body is not the event: %s: %v", call.body, err)
			}
		})
	}
}

func TestBusTriesAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		script []int
		calls  int
		want   string // of the error
	}{
		"throttled":        {[]int{429}, 2, ""},
		"failing":          {[]int{500, 503}, 3, ""},
		"failing for long": {[]int{500, 500, 500, 500, 500}, 4, `answered 500 "Code500" (request "req-1")`},
		"cut off":          {[]int{cut}, 2, ""},
		"refused":          {[]int{403}, 1, `answered 403 "Code403"`},
		"merely OK":        {[]int{200}, 1, `answered 200`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := &fcAPI{script: tt.script}
			err := newBus(t, api).Publish(t.Context(), runtimetest.StatusCheck(t), 0)
			if len(api.calls) != tt.calls {
				t.Errorf("got %d calls, want %d", len(api.calls), tt.calls)
			}
			expectError(t, err, tt.want)
			nonces := map[string]bool{}
			for _, c := range api.calls {
				nonces[c.header.Get("x-acs-signature-nonce")] = true
			}
			if len(nonces) != tt.calls {
				t.Error("a nonce was used twice")
			}
		})
	}
}

func expectError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		if want != "" {
			t.Errorf("got no error, want %s", want)
		}
		return
	}
	got := err.Error()
	if want == "" || !strings.Contains(got, want) {
		t.Errorf("got %s, want %q", got, want)
	}
	if strings.Contains(got, secret) || strings.Contains(got, token) || strings.Contains(got, "\n") {
		t.Errorf("the error holds a secret or a second line: %s", got)
	}
}

func TestBusFails(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	other := &fcAPI{}
	elsewhere := httptest.NewServer(other)
	defer elsewhere.Close()
	for name, tt := range map[string]struct {
		api    *fcAPI
		change func(*fc.Bus)
		want   string
	}{
		"no endpoint":    {&fcAPI{}, func(b *fc.Bus) { b.Endpoint = "" }, "give HAVIP_FC_ENDPOINT as https://host"},
		"nobody listens": {&fcAPI{}, func(b *fc.Bus) { b.Endpoint = gone.URL }, "connection refused"},
		"a redirect":     {&fcAPI{script: []int{307}, headers: map[string]string{"Location": elsewhere.URL}}, func(*fc.Bus) {}, "answered 307"},
		"a wrong key": {&fcAPI{}, func(b *fc.Bus) {
			b.Credentials = func(context.Context) (havip.Credentials, error) {
				return havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "other", SecurityToken: token}, nil
			}
		}, `answered 403 "Code403"`},
		"no credentials": {&fcAPI{}, func(b *fc.Bus) {
			b.Credentials = func(context.Context) (havip.Credentials, error) { return havip.Credentials{}, errors.New("none set") }
		}, "no credentials: none set"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBus(t, tt.api)
			tt.change(&b)
			expectError(t, b.Publish(t.Context(), runtimetest.StatusCheck(t), 0), tt.want)
		})
	}
	if len(other.calls) > 0 {
		t.Error("a redirect carried the STS token elsewhere")
	}
}

func TestBusStaysInItsTime(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	api := &fcAPI{script: []int{500, 500, 500, 500}}
	expectError(t, newBus(t, api).Publish(ctx, runtimetest.StatusCheck(t), 0), "in time")
	if len(api.calls) != 1 {
		t.Errorf("got %d calls in 100 ms, want 1", len(api.calls))
	}
}

func ExampleEndpoint() {
	fmt.Println(fc.Endpoint(runtime.Call{AccountID: "1234567890123456", Region: "cn-hangzhou"}))
	// Output: https://1234567890123456.cn-hangzhou.fc.aliyuncs.com
}
