package events

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// seeds are every shape that we read.
func seeds() []string {
	return []string{
		cloudEvent(""), "[" + cloudEvent(`,"x":1`) + "]", state("Running"), state("Pending"), monitor, alarmed, aws, timer, bcm,
		native("ecs:CloudMonitor:Instance[SystemFailure.Reboot:Executing]", `{"instanceId":"i-1"}`),
		`{"specversion":"1.0","id":"1","source":"/p","type":"havip.sweep","data_base64":"e30="}`,
		`{"specversion":"1.0","id":"1","source":"/p","type":"havip.recover","data":{"cloud":"baidu","region":"bj","havip":"h","release":"` + strings.Repeat("<", 22000) + `"}}`,
		strings.Replace(alarmed, "r1", strings.Repeat("r", 300), 1), strings.Replace(timer, "havip-sweep", strings.Repeat("t", 300), 1),
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

func FuzzHeader(f *testing.F) {
	for _, seed := range []string{"a%20b", `"a \"b\" \\"`, "%C0%A0", "100%", "grün", " \t", `"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, ok := decodeValue(value)
		if ok && (!utf8.ValidString(got) || hasControl(got) || len(got) > len(value)) {
			t.Errorf("%q became %q", value, got)
		}
	})
}

func FuzzTime(f *testing.F) {
	for _, seed := range []string{"2020-11-19T21:04:42.179PRC", "2023-1-25T01:45:16.969Z", "20181226T220114.058+0800", "1508136760000", "2020-11-19T21:04:42+08:00[Asia/Shanghai]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, ok := parseEpoch(text)
		if _, err := at.MarshalJSON(); ok && err != nil {
			t.Errorf("%q became a time that can't be sent: %v", text, err)
		}
	})
}

func FuzzAlarm(f *testing.F) {
	f.Add("ALERT", "{userId=12, instanceId=i-12}", "1508136760000")
	f.Add("OK", `[{"userId":"12","instanceId":"i-12"}]`, "")
	f.Fuzz(func(t *testing.T, state, dimensions, at string) {
		form := url.Values{"alertState": {state}, "dimensions": {dimensions}, "timestamp": {at}, "ruleId": {"r"}}
		events, err := ReadHTTP(http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form.Encode()), arrived)
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
		checkBounds(t, e)
		if _, ignored := e.Data.(Ignored); !ignored {
			checkSentOn(t, e)
		}
	}
}

// checkSentOn takes what is sent on of an event for what arrives next.
func checkSentOn(t *testing.T, e Event) {
	t.Helper()
	text, err := Encode(e)
	if err != nil {
		t.Fatalf("can't be sent: %v: %+v", err, e)
	}
	if len(text) > 128<<10 {
		t.Fatalf("became %d bytes, more than Function Compute takes", len(text))
	}
	again, err := Read(text, arrived)
	if err != nil {
		t.Fatalf("can't be read again: %v: %s", err, text)
	}
	e.Type = e.Data.eventType()
	if !sameEvent(again[0], e) {
		t.Fatalf("became %+v\nwas    %+v", again[0], e)
	}
}
