package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A member of 100,000 letters is refused or cut, whatever its name and type.
func TestEveryMemberIsBounded(t *testing.T) {
	for _, sample := range samples {
		for _, name := range everyMember(t, sample.Type) {
			most := maxProse
			if name == "actor" {
				most = maxShort
			}
			read, err := Read(changed(t, sample, map[string]string{name: letters("", "x", 100000)}), arrived)
			if err != nil {
				continue
			}
			written, err := Encode(read[0].Data)
			if err != nil {
				t.Fatal(err)
			}
			for _, run := range regexp.MustCompile("x+…?").FindAll(written, -1) {
				if len(run) > most {
					t.Errorf("%s of %s is %d bytes long", name, sample.Type, len(run))
				}
			}
		}
	}
}

// changed is an event as structured JSON, with other values for members of its data.
func changed(t *testing.T, e Event, values map[string]string) []byte {
	t.Helper()
	written, err := Encode(e.Data)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(written, &members); err != nil {
		t.Fatal(err)
	}
	for name, value := range values {
		members[name] = json.RawMessage(value)
	}
	return fmt.Appendf(nil, `{"specversion":"1.0","id":"1","source":"/p","type":%q,"data":%s}`, e.Type, object(members))
}

// What a cloud sends is held to the same bounds, and loses no event for an id
// that we make of its words ourselves.
func TestComposedIDs(t *testing.T) {
	long := strings.Repeat("r", 300)
	for _, c := range []struct{ name, payload, old string }{
		{"alarm", alarmed, "r1"},
		{"timer", timer, "havip-sweep"},
		{"BCM", bcm, "al-1"},
		{"BCM of another product", strings.Replace(bcm, "BCE_BCC", "BCE_CDN", 1), "al-1"},
	} {
		ids := map[string]bool{}
		for _, rule := range []string{long, long, long + "s", strings.Repeat("r", 2000), strings.Repeat("r", 2001)} {
			got, err := Read([]byte(strings.Replace(c.payload, c.old, rule, 1)), arrived)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if !regexp.MustCompile("^[0-9a-f]{64}$").MatchString(got[0].ID) {
				t.Errorf("%s: the id is %s", c.name, got[0].ID)
			}
			ids[got[0].ID] = true
		}
		if len(ids) != 4 {
			t.Errorf("%s: %d ids of four rules", c.name, len(ids))
		}
	}
}

// checkBounds holds what was read to the bounds: its attributes, its data by their
// schema, and its prose, which no schema bounds because it is cut.
func checkBounds(t *testing.T, e Event) {
	t.Helper()
	for _, attribute := range []string{e.ID, e.Source, e.Type, e.Subject, e.Causation} {
		if len(attribute) > 256 {
			t.Errorf("an attribute of %d bytes: %s", len(attribute), attribute)
		}
	}
	if len(e.TraceState) > 512 {
		t.Errorf("a tracestate of %d bytes", len(e.TraceState))
	}
	if ignored, ok := e.Data.(Ignored); ok {
		if len(ignored.Reason) > 1000 {
			t.Errorf("ignored for %d bytes", len(ignored.Reason))
		}
		return
	}
	members := membersOf(t, e.Data)
	if err := compiled()[e.Data.eventType()].Validate(members); err != nil {
		t.Errorf("%+v: %v", e, err)
	}
	for name, value := range members {
		text, _ := value.(string)
		if len(text) > 1000 || name == "actor" && len(text) > 256 {
			t.Errorf("%s of %s has %d bytes", name, e.Type, len(text))
		}
	}
	if check, ok := e.Data.(StatusCheck); ok && len(check.Carried) > 64<<10 {
		t.Errorf("it carries %d bytes", len(check.Carried))
	}
}

// membersOf are the members of an event's data, as they are sent.
func membersOf(t *testing.T, d Data) map[string]any {
	t.Helper()
	written, err := Encode(d)
	if err != nil {
		t.Fatal(err)
	}
	members, err := jsonschema.UnmarshalJSON(bytes.NewReader(written))
	if err != nil {
		t.Fatal(err)
	}
	delete(members.(map[string]any), "carried") // any JSON value
	return members.(map[string]any)
}
