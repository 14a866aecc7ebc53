package alibaba

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
)

var keys = havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "testsk", SecurityToken: "an-sts-token"}

func TestEventBridgePublishes(t *testing.T) {
	long := strings.Repeat("é", 200)
	for name, tt := range map[string]struct {
		id, wantID, answer, want string
		status                   int
	}{
		"taken":            {"story-1.outcome", "story-1-outcome", `{"Code":"200","RequestId":"req-1","Data":{"FailedEntryCount":0}}`, "", 200},
		"a long id":        {long, strings.Repeat("-", 128), `{"Code":"200","RequestId":"req-1"}`, "", 200},
		"an event refused": {"e1", "e1", `{"Code":"200","RequestId":"req-1","Data":{"FailedEntryCount":1,"EntryList":[{"ErrorCode":"BusNotExist"}]}}`, `200 "BusNotExist" (request "req-1")`, 200},
		"a call refused":   {"e1", "e1", `{"Code":"Forbidden","RequestId":"req-1","Message":"` + keys.SecurityToken + keys.AccessKeySecret + `"}`, `403 "Forbidden"`, 403},
		"no JSON":          {"e1", "e1", `<html>`, `502 "no code"`, 502},
	} {
		t.Run(name, func(t *testing.T) {
			var taken url.Values
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if r.Header.Get("Authorization") != authorization(r, keys) || r.Header.Get("x-acs-content-sha256") != hexSum(body) || r.Header.Get("x-acs-action") != "PutEvents" || r.Header.Get("x-acs-version") != "2020-04-01" {
					t.Errorf("it came with %v", r.Header)
				}
				taken, _ = url.ParseQuery(string(body))
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.answer)
			}))
			defer s.Close()
			err := eventBridge(s.URL).Publish(t.Context(), attached(t, tt.id), 0)
			expectError(t, err, tt.want)
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

func eventBridge(endpoint string) EventBridge {
	return EventBridge{Endpoint: endpoint, Bus: "havip", Credentials: func(context.Context) (havip.Credentials, error) {
		return keys, nil
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

// expectError wants an error with the words, on one line and without a secret, or none.
func expectError(t *testing.T, err error, want string) {
	t.Helper()
	got := fmt.Sprint(err)
	if (err == nil) != (want == "") || !strings.Contains(got, want) {
		t.Errorf("got %s, want %q", got, want)
	}
	if strings.Contains(got, keys.AccessKeySecret) || strings.Contains(got, keys.SecurityToken) || strings.Contains(got, "\n") {
		t.Errorf("the error holds a secret or a second line: %s", got)
	}
}
