package events

import "time"

// readAWS opens an envelope of AWS EventBridge. Its detail is a CloudEvent of
// ours, or the data of one whose type is the detail-type. The clock of AWS is a
// sweep.
func readAWS(f *fields, arrived time.Time) (Event, error) {
	v := envelope{
		id:     f.text("id"),
		source: f.text("source"),
		kind:   f.text("detail-type"),
		time:   f.text("time"),
		dataAt: "detail",
	}
	if f.err != nil {
		return Event{}, f.err
	}
	if detail, ok := f.find("detail"); ok {
		v.data = detail.raw
	}
	if v.source == "aws.events" && v.kind == "Scheduled Event" {
		v.kind, v.data = TypeSweep, nil
		return v.event(arrived)
	}
	inner, err := openObject("", v.data)
	if err != nil {
		return Event{}, within("detail", err)
	}
	if inner.has("specversion") {
		e, err := readStructured(inner, arrived)
		return e, within("detail", err)
	}
	return v.event(arrived)
}
