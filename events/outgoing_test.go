package events

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

func TestCloudEventIsValid(t *testing.T) {
	for _, sample := range samples {
		ce, err := sample.CloudEvent()
		if err != nil {
			t.Fatalf("%s: %v", sample.Type, err)
		}
		text, err := json.Marshal(ce)
		if err != nil {
			t.Fatalf("%s: %v", sample.Type, err)
		}
		var read cloudevents.Event
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatalf("%s: the SDK can't read it: %v", sample.Type, err)
		}
		if err := read.Validate(); err != nil {
			t.Errorf("%s: %v", sample.Type, err)
		}
		if read.ID() != sample.ID || read.Type() != sample.Type || read.Source() != sample.Source || !read.Time().Equal(sample.Time) {
			t.Errorf("%s became %v", sample.Type, read)
		}
	}
}

// What a cloud said goes on in our words and means the same, under the same id.
func TestSentOnItIsTheSame(t *testing.T) {
	for name, payload := range map[string]string{
		"native": state("Stopped"), "monitor": monitor, "alarm": alarmed, "aws": aws, "timer": timer,
		"a region that nobody knows": alarmed[:len(alarmed)-len(`,"regionId":"cn-hangzhou"}`)] + "}",
		"a source that looks odd":    `{"specversion":"1.0","id":" <1> ","subject":" ","source":"/a%2fb/ü?x#y","type":"havip.sweep"}`,
	} {
		t.Run(name, func(t *testing.T) {
			first, err := Read([]byte(payload), arrived)
			if err != nil {
				t.Fatal(err)
			}
			text, err := Encode(first[0])
			if err != nil {
				t.Fatal(err)
			}
			second, err := Read(text, arrived)
			if err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			want := first[0]
			want.Type = want.Data.eventType()
			if !sameEvent(second[0], want) {
				t.Errorf("became %+v\nwant   %+v", second[0], want)
			}
		})
	}
}

// What is sent has no letter written with six bytes that can do with one, however
// deep it stands.
func TestEncodeKeepsAngleBrackets(t *testing.T) {
	const text = "<&>"
	for _, d := range []Data{
		Recover{Release: text, Reason: text},
		Outcome{Outcome: "attached", Holders: []string{text}, Advice: text},
		StatusCheck{Carried: json.RawMessage(`{"rule":"<&>"}`)},
	} {
		e := New(text, at, d)
		e.Causation = text
		ce, err := e.CloudEvent()
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []any{ce, e, []cloudevents.Event{ce}} {
			written, err := Encode(v)
			if err != nil || strings.Contains(string(written), `\u`) || !strings.Contains(string(written), text) || !json.Valid(written) {
				t.Errorf("%T of %T: %v, %s", v, d, err, written)
			}
		}
	}
	if _, err := Encode(New("1", at, StatusCheck{Carried: json.RawMessage("{")})); err == nil {
		t.Error("wrote what is not JSON")
	}
}

func TestIgnoredIsNotSent(t *testing.T) {
	for _, e := range []Event{{ID: "1", Source: "/p", Data: Ignored{Reason: "x"}}, {ID: "1", Source: "/p"}} {
		if ce, err := e.CloudEvent(); err == nil {
			t.Errorf("sent %v", ce)
		}
		if text, err := json.Marshal(e); err == nil {
			t.Errorf("sent %s", text)
		}
	}
}

func TestNew(t *testing.T) {
	a, b := New("", at, Sweep{HAVIP: "havip-1"}), New("", at, Sweep{})
	if a.ID == "" || a.ID == b.ID {
		t.Errorf("drew the ids %q and %q", a.ID, b.ID)
	}
	if a.Type != TypeSweep || a.Subject != "havip-1" || a.Source != Source || !a.Arrived.Equal(at) {
		t.Errorf("made %+v", a)
	}
	ce, err := New("", time.Time{}, Outcome{Outcome: "attached"}).CloudEvent()
	if err != nil || !strings.Contains(string(ce.Data()), `"holders":[]`) {
		t.Errorf("without time and holders: %v, %s", err, ce.Data())
	}
}
