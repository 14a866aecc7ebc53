package runtime_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/shared/havip"
	"havip-functions/shared/runtime"
)

func TestEventBridgePublishes(t *testing.T) {
	long := strings.Repeat("é", 200)
	for name, tt := range map[string]struct {
		id, wantID, answer, want string
		status                   int
	}{
		"taken":            {"story-1.outcome", "story-1-outcome", `{"Code":"200","RequestId":"req-1","Data":{"FailedEntryCount":0}}`, "", 200},
		"a long id":        {long, strings.Repeat("-", 128), `{"Code":"200","RequestId":"req-1"}`, "", 200},
		"an event refused": {"e1", "e1", `{"Code":"200","RequestId":"req-1","Data":{"FailedEntryCount":1,"EntryList":[{"ErrorCode":"BusNotExist"}]}}`, `200 "BusNotExist" (request "req-1")`, 200},
		"a call refused":   {"e1", "e1", `{"Code":"Forbidden","RequestId":"req-1","Message":"` + token + secret + `"}`, `403 "Forbidden"`, 403},
		"no JSON":          {"e1", "e1", `<html>`, `502 "no code"`, 502},
	} {
		t.Run(name, func(t *testing.T) {
			var taken url.Values
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if why := verify(r, body); why != "" || r.Header.Get("x-acs-action") != "PutEvents" || r.Header.Get("x-acs-version") != "2020-04-01" {
					t.Errorf("%s: %v", why, r.Header)
				}
				taken, _ = url.ParseQuery(string(body))
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.answer)
			}))
			defer s.Close()
			err := eventBridge(s.URL).Publish(t.Context(), attached(t, tt.id), 0)
			if tt.want == "" && err != nil {
				t.Error(err)
			}
			if tt.want != "" {
				expectError(t, err, tt.want)
			}
			var list []map[string]any
			if err := json.Unmarshal([]byte(taken.Get("EventList")), &list); err != nil || taken.Get("EventBusName") != "havip" {
				t.Fatalf("the bus %q took %v: %v", taken.Get("EventBusName"), taken, err)
			}
			want := map[string]any{
				"Id": tt.wantID, "Source": "havip-functions", "SpecVersion": "1.0", "Type": "havip.attached",
				"Time": "2026-11-22T03:00:00Z", "DataContentType": "application/json", "Data": map[string]any{"outcome": "attached"},
			}
			if got := fmt.Sprint(list[0]); len(list) != 1 || got != fmt.Sprint(want) {
				t.Errorf("got %s, want %v", got, want)
			}
		})
	}
}

func eventBridge(endpoint string) runtime.EventBridge {
	return runtime.EventBridge{Endpoint: endpoint, Bus: "havip", Credentials: func(context.Context) (havip.Credentials, error) {
		return havip.Credentials{AccessKeyID: "testak", AccessKeySecret: secret, SecurityToken: token}, nil
	}}
}

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

func TestEventBridgeThatIsNotThere(t *testing.T) {
	expectError(t, eventBridge("http://127.0.0.1:1").Publish(t.Context(), attached(t, "e1"), 0), "connection refused")
	expectError(t, eventBridge("").Publish(t.Context(), attached(t, "e1"), 0), "HAVIP_EVENTBRIDGE_ENDPOINT")
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

func TestSinkHidesItsAddress(t *testing.T) {
	sink, err := runtime.NewSink("http://127.0.0.1:1/" + token)
	if err != nil {
		t.Fatal(err)
	}
	expectError(t, sink.Publish(t.Context(), attached(t, "e1"), 0), "was not sent to the sink")
	_, err = runtime.NewSink("no address " + token)
	expectError(t, err, "HAVIP_OUTCOME_SINK is no address")
}

func TestLogHidesSecrets(t *testing.T) {
	var said strings.Builder
	log := runtime.NewLog(&said, token, "")
	log.With("path", "/events/"+token).Error("at /events/"+token, "error", fmt.Errorf("POST /events/%s", token))
	if strings.Contains(said.String(), token) || strings.Count(said.String(), "/events/[secret]") != 3 {
		t.Errorf("it said %s", said.String())
	}
}
