package runtime_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/shared/guard"
	"havip-functions/shared/runtime"
)

func attached(t *testing.T, id string) event.Event {
	t.Helper()
	e := event.New()
	e.SetID(id)
	e.SetSource("havip-functions")
	e.SetType("havip.attached")
	e.SetTime(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))
	if err := e.SetData("application/json", map[string]string{"outcome": "attached"}); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSinkPublishes(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		want   string
	}{
		"taken":      {202, ""},
		"no content": {204, ""},
		"refused":    {403, "answered 403"},
		"redirected": {307, "answered 307"},
		"failing":    {500, "answered 500"},
	} {
		t.Run(name, func(t *testing.T) {
			var got event.Event
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if kind := r.Header.Get("Content-Type"); kind != "application/cloudevents+json" {
					t.Errorf("it came as %s", kind)
				}
				if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
					t.Error(err)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.status)
			}))
			defer s.Close()
			sink, err := runtime.NewSink(s.URL + "/" + token)
			if err != nil {
				t.Fatal(err)
			}
			err = sink.Publish(t.Context(), attached(t, "e1"), 0)
			if tt.want == "" && err != nil {
				t.Error(err)
			}
			if tt.want != "" {
				expectError(t, err, tt.want)
			}
			if got.ID() != "e1" || string(got.Data()) != `{"outcome":"attached"}` {
				t.Errorf("it took %s", got)
			}
		})
	}
}

// A receiver that asks for Standard Webhooks believes what is signed with either of two
// secrets, and nothing else.
func TestSinkSigns(t *testing.T) {
	old, next := []byte("the-one-that-goes"), []byte("the-one-that-comes")
	var status int
	believing := guard.Guard{Secrets: [][]byte{next}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a short one has no fitting signature
		_, err := believing.Prove(r, body)
		if status = http.StatusNoContent; err != nil || r.Header.Get("Webhook-Id") != "e1" {
			status = http.StatusUnauthorized
		}
		w.WriteHeader(status)
	}))
	defer s.Close()
	for name, tt := range map[string]struct {
		secrets [][]byte
		want    string
	}{
		"both":     {[][]byte{old, next}, ""},
		"the old":  {[][]byte{old}, "answered 401"},
		"unsigned": {nil, "answered 401"},
	} {
		sink, err := runtime.NewSink(s.URL, tt.secrets...)
		if err != nil {
			t.Fatal(err)
		}
		if err := sink.Publish(t.Context(), attached(t, "e1"), 0); tt.want != "" || err != nil {
			t.Log(name)
			expectError(t, err, tt.want)
		}
	}
}

func TestSinkHidesItsAddress(t *testing.T) {
	sink, err := runtime.NewSink("http://127.0.0.1:1/" + token)
	if err != nil {
		t.Fatal(err)
	}
	expectError(t, sink.Publish(t.Context(), attached(t, "e1"), 0), "was not sent to the sink")
	_, err = runtime.NewSink("no address " + token)
	expectError(t, err, "HAVIP_OUTCOME_SINK is no address")
}

const token = "an-sts-token"

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
	if strings.Contains(got, token) || strings.Contains(got, "\n") {
		t.Errorf("the error holds a secret or a second line: %s", got)
	}
}
