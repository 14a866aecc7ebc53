package stored_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/roster"
	"havip-functions/shared/roster/stored"
)

const secret, token = "testsk", "an-sts-token"

// store plays OSS, which verifies a V4 signature, and S3.
type store struct {
	mu    sync.Mutex
	text  string // of the object; "" is none
	reads int
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	signed := strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/s3/aws4_request, SignedHeaders=") || ossSigned(r)
	switch {
	case !signed:
		w.WriteHeader(http.StatusForbidden)
	case s.text == "" || r.URL.Path != "/havip-config/roster.yaml":
		w.WriteHeader(http.StatusNotFound)
	default:
		io.WriteString(w, s.text)
	}
}

func (s *store) put(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = text
}

// ossSigned rebuilds OSS4-HMAC-SHA256 by the vendor's page.
func ossSigned(r *http.Request) bool {
	const scope = "/cn-hangzhou/oss/aliyun_v4_request"
	at := r.Header.Get("x-oss-date")
	canonical := "GET\n" + r.URL.Path + "\n\nx-oss-content-sha256:UNSIGNED-PAYLOAD\nx-oss-date:" + at +
		"\nx-oss-security-token:" + token + "\n\n\nUNSIGNED-PAYLOAD"
	sum := sha256.Sum256([]byte(canonical))
	key := []byte("aliyun_v4" + secret)
	for _, part := range []string{at[:min(8, len(at))], "cn-hangzhou", "oss", "aliyun_v4_request",
		"OSS4-HMAC-SHA256\n" + at + "\n" + at[:min(8, len(at))] + scope + "\n" + hex.EncodeToString(sum[:])} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	want := fmt.Sprintf("OSS4-HMAC-SHA256 Credential=testak/%s%s,Signature=%x", at[:min(8, len(at))], scope, key)
	return r.Header.Get("Authorization") == want && r.Header.Get("x-oss-security-token") == token
}

var caller = stored.Caller{Region: "cn-hangzhou", Credentials: func(context.Context) (havip.Credentials, error) {
	return havip.Credentials{AccessKeyID: "testak", AccessKeySecret: secret, SecurityToken: token}, nil
}}

// rosterOf is the hash of the roster that the caller sees.
func rosterOf(t *testing.T, find stored.Roster) (string, error) {
	t.Helper()
	file, err := find(t.Context(), caller)
	if err != nil {
		return "", err
	}
	return file.Policies()[0].Roster, nil
}

func hash(t *testing.T, text string) string {
	t.Helper()
	r, err := roster.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r.Hash
}

func TestRosterFromAStore(t *testing.T) {
	good := string(roster.Builtin())
	for name, tt := range map[string]struct{ where, text, want string }{
		"OSS":                 {"oss://havip-config/roster.yaml?endpoint=", good, ""},
		"S3":                  {"s3://havip-config/roster.yaml", good, ""},
		"an object not there": {"oss://havip-config/other.yaml?endpoint=", good, "answered 404"},
		"another region":      {"oss://havip-config/roster.yaml?region=cn-beijing&endpoint=", good, "answered 403"},
		"a bad roster":        {"oss://havip-config/roster.yaml?endpoint=", "havips: []\n", "name at least one HAVIP"},
		"a large object":      {"oss://havip-config/roster.yaml?endpoint=", strings.Repeat("#", 4<<20+1), "larger than 4194304 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(&store{text: tt.text})
			defer s.Close()
			for name, value := range map[string]string{
				"AWS_ENDPOINT_URL": s.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "testak", "AWS_SECRET_ACCESS_KEY": "a-secret",
			} {
				t.Setenv(name, value)
			}
			where := tt.where
			if strings.HasSuffix(where, "endpoint=") {
				where += s.URL
			}
			find, err := stored.Open(t.Context(), where, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			got, err := rosterOf(t, find)
			if tt.want == "" && (err != nil || got != hash(t, good)) {
				t.Errorf("got %s, %v", got, err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), token)) {
				t.Errorf("got %v, want %s and no token", err, tt.want)
			}
		})
	}
}

// A roster is read again after a minute. One that is bad or gone leaves the last
// good one in force.
func TestRosterIsReadAgain(t *testing.T) {
	s := &store{text: string(roster.Builtin())}
	server := httptest.NewServer(s)
	defer server.Close()
	changed := strings.Replace(s.text, "hold: 1", "hold: 2", 1)
	synctest.Test(t, func(t *testing.T) {
		find, err := stored.Open(t.Context(), "oss://havip-config/roster.yaml?endpoint=http://store", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		http.DefaultClient.Transport = inProcess{s}
		defer func() { http.DefaultClient.Transport = nil }()
		first := hash(t, s.text)
		for _, step := range []struct {
			text  string
			after time.Duration
			want  string
			reads int
		}{
			{s.text, 0, first, 1},
			{changed, 55 * time.Second, first, 1},
			{changed, 5 * time.Second, hash(t, changed), 2},
			{"havips: []\n", 61 * time.Second, hash(t, changed), 3},
			{"", 61 * time.Second, hash(t, changed), 4},
			{string(roster.Builtin()), 61 * time.Second, first, 5},
		} {
			s.put(step.text)
			<-time.After(step.after)
			_, err := rosterOf(t, find)
			<-time.After(time.Second) // a file is looked at once a second
			got, err2 := rosterOf(t, find)
			if err != nil || err2 != nil || got != step.want || s.reads != step.reads {
				t.Errorf("got %s after %d reads, %v %v; want %s after %d", got, s.reads, err, err2, step.want, step.reads)
			}
		}
	})
}

// inProcess answers without a socket, so that time may be virtual.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result(), nil
}
