package events

import (
	"strings"
	"time"
)

// readTimer takes a timer of Function Compute for a sweep. Its id names the tick,
// so that a tick delivered twice is one event. A payload that is a JSON object is
// the sweep's data.
func readTimer(f *fields, arrived time.Time) (Event, error) {
	name, at := f.required("triggerName"), f.required("triggerTime")
	payload := f.anyText("payload")
	if f.err != nil {
		return Event{}, f.err
	}
	v := envelope{
		id:     composed(name + "@" + at),
		source: "fc.timer",
		kind:   TypeSweep,
		time:   at,
		dataAt: "payload",
	}
	if strings.HasPrefix(strings.TrimSpace(payload), "{") {
		if err := v.setBody("payload", []byte(strings.TrimSpace(payload)), "application/json"); err != nil {
			return Event{}, err
		}
	}
	return v.event(arrived)
}
