package events

import (
	"strings"
	"time"
)

// readMonitor reads an event as a subscription of CloudMonitor delivers it: the
// occurrence of EventBridge in an envelope of its own.
func readMonitor(f *fields, arrived time.Time) (Event, error) {
	v := envelope{
		id:     f.text("id"),
		source: sourceCloudMonitor,
		kind:   f.text("name"),
		time:   f.text("eventTime"),
	}
	product, region, resource := f.text("product"), f.text("regionId"), f.text("resourceId")
	content, _ := f.find("content")
	if f.err != nil {
		return Event{}, f.err
	}
	e, err := v.header(arrived)
	if err != nil {
		return Event{}, err
	}
	if !strings.EqualFold(product, "ECS") {
		e.Data = Ignored{Reason: shown(product) + " says nothing about who can serve"}
		return e, nil
	}
	data, err := openObject("content", content.raw)
	if err != nil {
		return Event{}, err
	}
	e.Data, err = occurrence{name: v.kind, region: region, arn: resource, resource: resource, data: data}.meaning()
	return e, err
}
