package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

const secret, token = "s3cret/+key", "t0ken/+=="

var dialect = wire.Dialect{
	RequestID: "X-Id",
	SilentPut: true,
	Codes: map[string]wire.Verdict{
		"Throttling*":   {Kind: havip.ErrBusy, Rule: "too many calls", Advice: "wait"},
		"Throttling.No": {Kind: havip.ErrRefused, Rule: "never", Advice: "stop"},
		"Unfit":         {Kind: havip.ErrRefused, Rule: "unfit", Advice: "choose another", Instance: true},
	},
}

func client(endpoint string) *wire.Client {
	return &wire.Client{
		Dialect: dialect, Endpoint: endpoint, Timeout: 5 * time.Second,
		Credentials: func(context.Context) (havip.Credentials, error) {
			return havip.Credentials{AccessKeyID: "ak", AccessKeySecret: secret, SecurityToken: token}, nil
		},
	}
}

// plainly sends as a careless SDK would: through a client that follows redirects.
func plainly(method string) func(wire.Route) error {
	return func(r wire.Route) error {
		u := url.URL{Scheme: r.Scheme, Host: r.Host, RawQuery: url.Values{"Signature": {"s1gn+/="}, "SecurityToken": {r.Keys.SecurityToken}}.Encode()}
		req, err := http.NewRequest(method, u.String(), strings.NewReader("{}"))
		if err != nil {
			return err
		}
		resp, err := (&http.Client{Transport: r.Transport}).Do(req)
		if err != nil {
			return fmt.Errorf("SDK: %w", err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return errors.Join(err, resp.Body.Close())
	}
}

type kind struct {
	kind           error
	lost, instance bool
	code           string
}

func kindOf(err error) kind {
	var e *havip.Error
	if !errors.As(err, &e) {
		return kind{}
	}
	return kind{e.Kind, e.Lost, e.Instance, e.Code}
}

func TestAnswers(t *testing.T) {
	busy, refused := havip.ErrBusy, havip.ErrRefused
	tests := []struct {
		name   string
		method string
		status int
		id     string
		body   string
		want   kind
	}{
		{"yes", "GET", 200, "r1", `{"Names":["a"]}`, kind{}},
		{"yes, id in the body", "POST", 200, "", `{"RequestId":"r1"}`, kind{}},
		{"silent yes to a PUT", "PUT", 200, "r1", ``, kind{}},
		{"empty", "POST", 200, "r1", " \n", kind{busy, true, false, "EmptyAnswer"}},
		{"hollow", "POST", 200, "r1", "{}", kind{busy, true, false, "EmptyAnswer"}},
		{"no id", "PUT", 200, "", "", kind{busy, true, false, "EmptyAnswer"}},
		{"page", "GET", 200, "r1", "<html>", kind{busy, true, false, "UnreadableAnswer"}},
		{"a no under 200", "POST", 200, "r1", `{"Code":"Unfit"}`, kind{refused, false, true, "Unfit"}},
		{"a new no under 200", "POST", 200, "r1", `{"Code":"New"}`, kind{busy, true, false, "New"}},
		{"redirect", "PUT", 307, "r1", "", kind{busy, true, false, "Redirected"}},
		{"not modified", "GET", 304, "r1", "", kind{busy, true, false, "Redirected"}},
		{"known", "POST", 400, "r1", `{"code":"Unfit","message":"m","requestId":"r2"}`, kind{refused, false, true, "Unfit"}},
		{"prefix", "POST", 503, "r1", `{"Code":"Throttling.User"}`, kind{busy, false, false, "Throttling.User"}},
		{"exact before prefix", "POST", 400, "r1", `{"Code":"Throttling.No"}`, kind{refused, false, false, "Throttling.No"}},
		{"new 400", "POST", 400, "r1", `{"Code":"New"}`, kind{refused, false, false, "New"}},
		{"new 404", "POST", 404, "r1", `{"Code":"New"}`, kind{refused, false, false, "New"}},
		{"401 in HTML", "GET", 401, "", "<html>", kind{refused, false, false, "HTTP 401"}},
		{"403 empty", "GET", 403, "", "", kind{refused, false, false, "HTTP 403"}},
		{"408", "GET", 408, "", "", kind{busy, true, false, "HTTP 408"}},
		{"409", "PUT", 409, "r1", `{"code":"Conflict"}`, kind{busy, false, false, "Conflict"}},
		{"429", "PUT", 429, "", "slow down", kind{busy, false, false, "HTTP 429"}},
		{"500, numeric code", "PUT", 500, "r1", `{"code":123}`, kind{busy, true, false, "123"}},
		{"502 in HTML", "PUT", 502, "", "<html>", kind{busy, true, false, "HTTP 502"}},
		{"code of another kind", "GET", 400, "r1", `{"code":{"a":1},"message":["m"]}`, kind{refused, false, false, `{"a":1}`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls++
				w.Header().Set("X-Id", tt.id)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}))
			defer server.Close()
			id, err := client(server.URL).Call(t.Context(), "Op", plainly(tt.method))
			if got := kindOf(err); got != tt.want || calls != 1 {
				t.Errorf("got %+v (%v) after %d calls, want %+v", got, err, calls, tt.want)
			}
			if err == nil && id != "r1" {
				t.Errorf("the request id is %q", id)
			}
		})
	}
}

// TestNoSecret has a cloud, and a proxy, that repeat the request in their answer.
func TestNoSecret(t *testing.T) {
	twice := url.QueryEscape(url.QueryEscape(token))
	for _, message := range []string{
		"bad " + secret, "bad " + token, "bad " + url.QueryEscape(token), "bad " + twice,
		"Signature=s1gn+/=", "no match, server string to sign is:POST&%2F&AccessKeyId",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprintf(w, `{"code":"SignatureDoesNotMatch","message":%q}`, message)
		}))
		_, err := client(server.URL).Call(t.Context(), "Op", plainly("GET"))
		for _, never := range []string{secret, token, url.QueryEscape(token), twice, "s1gn", "string to sign"} {
			if strings.Contains(err.Error(), never) {
				t.Errorf("%q shows %q", err, never)
			}
		}
		server.Close()
	}
}

func TestUnsent(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	none := func() *wire.Client { return client("http://127.0.0.1:1") }
	with := func(keys func(context.Context) (havip.Credentials, error)) *wire.Client {
		c := none()
		c.Credentials = keys
		return c
	}
	tests := []struct {
		name   string
		client *wire.Client
		send   func(wire.Route) error
		want   kind
	}{
		{"nobody listens", client(gone.URL), plainly("GET"), kind{havip.ErrBusy, false, false, "Unreachable"}},
		{"unknown host", client("http://nowhere.invalid"), plainly("GET"), kind{havip.ErrBusy, false, false, "Unreachable"}},
		{"bad endpoint", client("ftp://host"), plainly("GET"), kind{havip.ErrRefused, false, false, "BadEndpoint"}},
		{"endpoint with a path", client("https://host/v1"), plainly("GET"), kind{havip.ErrRefused, false, false, "BadEndpoint"}},
		{"no source of keys", with(nil), plainly("GET"), kind{havip.ErrRefused, false, false, "NoCredentials"}},
		{"no keys", with(func(context.Context) (havip.Credentials, error) { return havip.Credentials{}, nil }), plainly("GET"), kind{havip.ErrRefused, false, false, "NoCredentials"}},
		{"role is busy", with(func(context.Context) (havip.Credentials, error) {
			return havip.Credentials{}, fmt.Errorf("role: %w", &havip.Error{Kind: havip.ErrBusy, Code: "Timeout", Lost: true})
		}), plainly("GET"), kind{havip.ErrBusy, false, false, "Timeout"}},
		{"keys too late", with(func(ctx context.Context) (havip.Credentials, error) {
			<-ctx.Done()
			return havip.Credentials{}, ctx.Err()
		}), plainly("GET"), kind{havip.ErrBusy, false, false, "Timeout"}},
		{"SDK refuses", none(), func(wire.Route) error { return errors.New("no such region") }, kind{havip.ErrRefused, false, false, "NotSent"}},
		{"SDK panics", none(), func(wire.Route) error { panic("oh") }, kind{havip.ErrRefused, false, false, "NotSent"}},
		{"SDK forgets", none(), func(wire.Route) error { return nil }, kind{havip.ErrRefused, false, false, "NotSent"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.client.Timeout = 500 * time.Millisecond
			_, err := tt.client.Call(t.Context(), "Op", tt.send)
			if got := kindOf(err); got != tt.want || !strings.HasPrefix(err.Error(), "Op: ") {
				t.Errorf("got %+v (%v), want %+v", got, err, tt.want)
			}
		})
	}
}

// TestSDKFails has an SDK trip over an answer that the cloud meant as a yes.
func TestSDKFails(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"RequestId":"r1"}`)
	}))
	defer server.Close()
	for name, trip := range map[string]func(){"error": func() {}, "panic": func() { panic("index out of range") }} {
		_, err := client(server.URL).Call(t.Context(), "Op", func(r wire.Route) error {
			if err := plainly("GET")(r); err != nil {
				return err
			}
			trip()
			return errors.New("cannot unmarshal")
		})
		if got, want := kindOf(err), (kind{havip.ErrBusy, true, false, "UnreadableAnswer"}); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func TestInterrupted(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    kind
	}{
		{"silence", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, kind{havip.ErrBusy, true, false, "Timeout"}},
		{"half an answer", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"RequestId"`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, kind{havip.ErrBusy, true, false, "Timeout"}},
		{"cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, kind{havip.ErrBusy, true, false, "ConnectionLost"}},
		{"flood", func(w http.ResponseWriter, _ *http.Request) {
			for range 9 {
				_, _ = io.WriteString(w, strings.Repeat(" ", 1<<20))
			}
		}, kind{havip.ErrBusy, true, false, "TooLarge"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(drained(tt.handler))
			defer server.Close()
			c := client(server.URL)
			c.Timeout = 300 * time.Millisecond
			if tt.name == "flood" {
				c.Timeout = 0
			}
			_, err := c.Call(t.Context(), "Op", plainly("GET"))
			if got := kindOf(err); got != tt.want {
				t.Errorf("got %+v (%v), want %+v", got, err, tt.want)
			}
		})
	}
}

// drained reads the request first: the server notices a client that has gone only
// after that.
func drained(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		next(w, r)
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(drained(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	_, err := client(server.URL).Call(ctx, "Op", plainly("GET"))
	if got, want := kindOf(err), (kind{havip.ErrBusy, true, false, "Canceled"}); got != want {
		t.Errorf("under way: got %+v (%v), want %+v", got, err, want)
	}
	_, err = client(server.URL).Call(ctx, "Op", plainly("GET"))
	if got, want := kindOf(err), (kind{havip.ErrBusy, false, false, "Canceled"}); got != want {
		t.Errorf("before: got %+v (%v), want %+v", got, err, want)
	}
}

// TestSDKTimeout has an SDK lose patience before we do.
func TestSDKTimeout(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(200 * time.Millisecond):
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, `{"RequestId":"r1"}`)
	}))
	defer server.Close()
	_, err := client(server.URL).Call(t.Context(), "Op", func(r wire.Route) error {
		impatient := http.Client{Transport: r.Transport, Timeout: 20 * time.Millisecond}
		resp, err := impatient.Get(r.Scheme + "://" + r.Host)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	})
	if err != nil {
		t.Error(err)
	}
}

// TestTLS wants HTTPS by default, and no call to a host with a wrong certificate.
func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"RequestId":"r1"}`)
	}))
	defer server.Close()
	c := client(strings.TrimPrefix(server.URL, "https://"))
	_, err := c.Call(t.Context(), "Op", plainly("GET"))
	if got, want := kindOf(err), (kind{havip.ErrBusy, false, false, "Unreachable"}); got != want {
		t.Errorf("unknown authority: got %+v (%v), want %+v", got, err, want)
	}
	c.Transport = server.Client().Transport
	if _, err := c.Call(t.Context(), "Op", plainly("GET")); err != nil {
		t.Errorf("known authority: %v", err)
	}
}
