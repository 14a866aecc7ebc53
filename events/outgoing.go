package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"
)

// CloudEvent writes the event in our own words: what came as a cloud's goes out
// under our type, with the same source, id and time. [Read] of its JSON gives
// the same event again. An Ignored event is not sent, and an error here.
func (e Event) CloudEvent() (cloudevents.Event, error) {
	if e.Data == nil || e.Data.eventType() == "" {
		return cloudevents.Event{}, errors.New("events: an ignored event has no form of ours; record why, don't send it")
	}
	// The setters of the SDK trim, and print what they parsed. That would change
	// the bytes that identify an event.
	attributes := &cloudevents.EventContextV1{
		ID:     e.ID,
		Source: types.URIRef{URL: url.URL{Opaque: e.Source}},
		Type:   e.Data.eventType(),
	}
	if e.Subject != "" {
		attributes.Subject = &e.Subject
	}
	ce := cloudevents.Event{Context: attributes}
	if !e.Time.IsZero() {
		ce.SetTime(e.Time)
	}
	e.setExtensions(&ce)
	data, err := Encode(e.Data)
	if err != nil {
		return cloudevents.Event{}, fmt.Errorf("events: write the data of %s: %w", e.ID, err)
	}
	ce.SetDataContentType(cloudevents.ApplicationJSON)
	ce.DataEncoded = data
	return ce, ce.Validate()
}

func (e Event) setExtensions(ce *cloudevents.Event) {
	expiry := ""
	if !e.Expiry.IsZero() {
		expiry = e.Expiry.UTC().Format(time.RFC3339Nano)
	}
	for name, value := range map[string]string{
		"causationid": e.Causation,
		"expirytime":  expiry,
		"traceparent": e.TraceParent,
		"tracestate":  e.TraceState,
	} {
		if value != "" {
			ce.SetExtension(name, value)
		}
	}
}

// MarshalJSON writes the event as a structured CloudEvent.
func (e Event) MarshalJSON() ([]byte, error) {
	ce, err := e.CloudEvent()
	if err != nil {
		return nil, err
	}
	return Encode(ce)
}

// Encode writes a value as JSON, a CloudEvent as a structured one. Every bus of
// ours uses it: json.Marshal writes each <, > and & with six bytes, in what an
// inner MarshalJSON wrote too, and would make an event larger than a bus takes.
func Encode(v any) ([]byte, error) {
	if e, whole := v.(cloudevents.Event); whole { // which the SDK writes so
		return e.MarshalJSON()
	}
	var b bytes.Buffer
	b.Grow(1 << 10) // which most fit into
	w := json.NewEncoder(&b)
	w.SetEscapeHTML(false)
	if err := w.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
