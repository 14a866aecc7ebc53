package events

import (
	"bytes"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// ReadHTTP reads the events of one HTTP request: in binary mode (ce- headers and
// the data as body), structured, or a batch; a form is an alarm of CloudMonitor,
// and any other JSON goes to [Read]. A bad header that we don't need is dropped,
// the event kept.
func ReadHTTP(header http.Header, body []byte, arrived time.Time) ([]Event, error) {
	if len(body) > MaxBatch {
		return nil, tooLarge("a batch may have %d bytes; send less at once", MaxBatch)
	}
	kind, err := mediaType(header)
	binary := isBinary(header, kind)
	if err != nil && !binary { // what the data must be, its type says
		return nil, err
	}
	switch {
	case kind == "application/cloudevents+json", kind == "application/cloudevents-batch+json":
		return readAs(kind, body, arrived)
	case strings.HasPrefix(kind, "application/cloudevents"):
		return nil, unsupported(kind)
	case binary:
		return one(readBinary(header, body, arrived))
	case kind == "application/x-www-form-urlencoded":
		return readForm(body, arrived)
	case kind == "application/json", kind == "":
		return Read(body, arrived)
	default:
		return nil, unsupported(kind)
	}
}

// readAs reads a body that says itself whether it is one event or many.
func readAs(kind string, body []byte, arrived time.Time) ([]Event, error) {
	isArray := bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("["))
	isBatch := kind == "application/cloudevents-batch+json"
	if isArray && !isBatch {
		return nil, invalid("", "a list under the type of one event; send application/cloudevents-batch+json")
	}
	if isBatch && !isArray {
		return nil, invalid("", "no list under the type of a batch; send application/cloudevents+json")
	}
	return Read(body, arrived)
}

// mediaType gives the type of the body in lower case; empty where none is named.
func mediaType(header http.Header) (string, error) {
	text := header.Get("Content-Type")
	if text == "" {
		return "", nil
	}
	kind, params, err := mime.ParseMediaType(text)
	if err != nil {
		return "", unsupported(text)
	}
	switch strings.ToLower(params["charset"]) {
	case "", "utf-8", "us-ascii":
		return kind, nil
	default:
		return kind, unsupported(text)
	}
}

func unsupported(kind string) error {
	return &Error{
		Member:  "content-type",
		Problem: shown(kind) + " is not read; send application/cloudevents+json in UTF-8",
		Kind:    ErrMediaType,
	}
}

// isBinary tells whether a request with a body of that type is in binary mode.
func isBinary(header http.Header, kind string) bool {
	for name := range header {
		if strings.EqualFold(name, "ce-specversion") {
			return !strings.HasPrefix(kind, "application/cloudevents")
		}
	}
	return false
}

func readBinary(header http.Header, body []byte, arrived time.Time) (Event, error) {
	if len(body) > MaxEvent {
		return Event{}, tooLarge("an event may have %d bytes; send less data", MaxEvent)
	}
	attributes, err := decodeHeader(header)
	if err != nil {
		return Event{}, err
	}
	if version := attributes["specversion"]; version != "1.0" {
		return Event{}, invalid("specversion", "%s is not read; send 1.0", shown(version))
	}
	v := envelope{
		id:          attributes["id"],
		source:      attributes["source"],
		kind:        attributes["type"],
		subject:     attributes["subject"],
		time:        attributes["time"],
		expiry:      attributes["expirytime"],
		traceParent: attributes["traceparent"],
		traceState:  attributes["tracestate"],
		causation:   attributes["causationid"],
		region:      attributes["aliyunregionid"],
	}
	if err := v.setBody("data", body, header.Get("Content-Type")); err != nil {
		return Event{}, err
	}
	return v.event(arrived)
}

func readForm(body []byte, arrived time.Time) ([]Event, error) {
	if len(body) > MaxEvent {
		return nil, tooLarge("an alarm may have %d bytes; shorten it", MaxEvent)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || !isText(form) {
		return nil, invalid("", "no form; send key=value pairs in UTF-8, percent-encoded")
	}
	if !form.Has("alertState") {
		return nil, invalid("alertState", "missing; a form must be an alarm of CloudMonitor")
	}
	return newAlarm(form.Get).events(arrived)
}

// isText tells whether all of a form is UTF-8 once it is decoded.
func isText(form url.Values) bool {
	for _, values := range form {
		for _, value := range values {
			if !utf8.ValidString(value) {
				return false
			}
		}
	}
	return true
}
