package events

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
)

// seeds are every shape that we read.
func seeds() []string {
	return []string{
		cloudEvent(""), "[" + cloudEvent(`,"x":1`) + "]", state("Running"), state("Pending"), monitor, alarmed, aws, timer, bcm,
		native("ecs:CloudMonitor:Instance[SystemFailure.Reboot:Executing]", `{"instanceId":"i-1"}`),
		`{"specversion":"1.0","id":"1","source":"/p","type":"havip.sweep","data_base64":"e30="}`,
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range seeds() {
		f.Add([]byte(seed))
	}
	for _, sample := range samples {
		text, err := json.Marshal(sample)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		events, err := Read(payload, arrived)
		checkRead(t, events, err)
	})
}

func FuzzReadHTTP(f *testing.F) {
	for _, seed := range seeds() {
		f.Add("application/json", "", []byte(seed))
	}
	f.Add("application/cloudevents-batch+json", "", []byte("[]"))
	f.Add("application/x-www-form-urlencoded", "", []byte("alertState=OK&dimensions={instanceId=i-1}&ruleId=r"))
	f.Add("application/json", `a%20b`, []byte(data))
	f.Add("", `"a \" %E4"`, []byte(data))
	f.Fuzz(func(t *testing.T, kind, id string, body []byte) {
		header := http.Header{"Content-Type": {kind}}
		if id != "" {
			header = http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {id}, "Ce-Source": {id}, "Ce-Type": {TypeHealthFailed}}
		}
		events, err := ReadHTTP(header, body, arrived)
		checkRead(t, events, err)
	})
}

// checkRead holds whatever was read to what Read promises.
func checkRead(t *testing.T, events []Event, err error) {
	t.Helper()
	if err != nil && (!errors.Is(err, ErrInvalid) || len(events) == 0 && hasControl(strings.ReplaceAll(err.Error(), "\n", ""))) {
		t.Errorf("a bad error: %q", err)
	}
	for _, e := range events {
		if e.ID == "" || e.Source == "" || e.Type == "" || e.Data == nil || e.Time.IsZero() && e.Arrived.IsZero() {
			t.Fatalf("incomplete: %+v", e)
		}
		if hasControl(e.ID + e.Source + e.Type + e.Subject + e.TraceParent + e.TraceState + e.Causation) {
			t.Fatalf("control characters in %+v", e)
		}
		if _, ignored := e.Data.(Ignored); ignored {
			continue
		}
		checkSentOn(t, e)
	}
}

func checkSentOn(t *testing.T, e Event) {
	t.Helper()
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatalf("can't be sent: %v: %+v", err, e)
	}
	again, err := Read(text, arrived)
	if errors.Is(err, ErrTooLarge) {
		return
	}
	if err != nil {
		t.Fatalf("can't be read again: %v: %s", err, text)
	}
	e.Type = e.Data.eventType()
	if !sameEvent(again[0], e) {
		t.Fatalf("became %+v\nwas    %+v", again[0], e)
	}
}
