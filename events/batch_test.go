package events

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestReadBatch(t *testing.T) {
	good := cloudEvent("")
	for _, c := range []struct {
		name, payload string
		events        int
		want          string
	}{
		{"none", "[]", 0, "<nil>"},
		{"one", "[" + good + "]", 1, "<nil>"},
		{"two", " [ " + good + " , " + good + " ] ", 2, "<nil>"},
		{"one of three is bad", "[" + good + `,{},` + good + "]", 2, "[1].specversion: missing; send a CloudEvent 1.0"},
		{"two are bad", `[{},` + good + `,{"specversion":"1.0"}]`, 1,
			"[0].specversion: missing; send a CloudEvent 1.0\n[2].id: missing; it must be a string that is not empty"},
		{"one is too large", "[" + good + `,{"a":"` + strings.Repeat("x", MaxEvent) + `"}]`, 1, "[1]: an event may have 131072 bytes; send less data"},
		{"one is no JSON", "[" + good + `,{"a":x}]`, 0, `[1].a: not JSON: "x" at byte 153, where a value must stand`},
		{"a comma too many", "[" + good + ",]", 0, `[1]: not JSON: "]" at byte 148, where { must stand`},
		{"no comma", "[" + good + good + "]", 0, `event: not JSON: "{" at byte 147, where , or ] must follow`},
		{"a batch in a batch", "[[" + good + "]]", 0, `[0]: not JSON: "[" at byte 1, where { must stand`},
		{"bytes behind", "[] []", 0, `event: not JSON: "[" at byte 3, after the end of the event`},
		{"open", "[" + good, 0, "event: not JSON: it ends where , or ] must follow (byte 147)"},
		{"as many as we take", "[" + strings.Repeat(good+",", MaxEvents-1) + good + "]", MaxEvents, "<nil>"},
		{"one too many", "[" + strings.Repeat(good+",", MaxEvents) + good + "]", 0, "event: a batch may have 1000 events; send fewer at once"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Read([]byte(c.payload), arrived)
			if len(got) != c.events || fmt.Sprint(err) != c.want {
				t.Errorf("%d events, %v\nwant %d, %s", len(got), err, c.events, c.want)
			}
			for _, e := range got {
				if !sameEvent(e, failed) {
					t.Errorf("read %+v", e)
				}
			}
			if err != nil && !errors.Is(err, ErrInvalid) {
				t.Errorf("%v is not ErrInvalid", err)
			}
		})
	}
}

// An alarm makes an event of each instance, and no more than a batch may have.
func TestAlarmsOfManyInstances(t *testing.T) {
	naming := func(first, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "instanceId=i-%d,", first+i)
		}
		return strings.Replace(alarmed, "userId=12, instanceId=i-bp1a", b.String(), 1)
	}
	for _, c := range []struct {
		name, payload string
		events        int
		want          string
	}{
		{"as many as we take", naming(0, 1000), 1000, "<nil>"},
		{"one too many", naming(0, 1001), 0, "event: an alarm may name 1000 instances; send fewer at once"},
		{"two alarms", "[" + naming(0, 500) + "," + naming(500, 500) + "]", 1000, "<nil>"},
		{"and one event more", "[" + naming(0, 500) + "," + naming(500, 500) + "," + cloudEvent("") + "]", 0, "event: a batch may have 1000 events; send fewer at once"},
	} {
		got, err := Read([]byte(c.payload), arrived)
		if len(got) != c.events || fmt.Sprint(err) != c.want || err != nil && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %d events, %v", c.name, len(got), err)
		}
	}
}

func TestReadKeepsNothingOfThePayload(t *testing.T) {
	payload := []byte(`{"specversion":"1.0","id":"1","source":"/p","type":"havip.status.check","data":` +
		`{"cloud":"baidu","region":"bj","havip":"havip-1","story":"` + story + `","attempt":1,"carried":{"a": 1}}}`)
	got, err := Read(payload, arrived)
	if err != nil {
		t.Fatal(err)
	}
	clear(payload)
	check := got[0].Data.(StatusCheck)
	if check.Story != story || string(check.Carried) != `{"a":1}` {
		t.Errorf("the event changed with its payload: %+v", check)
	}
}
