package events

import (
	"bytes"
	"strings"
	"time"
)

// readShape tells by its members what an object is:
//
//	specversion                a CloudEvent, ours or in a cloud's own words
//	detail-type                an envelope of AWS EventBridge
//	triggerName, triggerTime   a timer of Function Compute
//	alertState                 an alarm of CloudMonitor
//	eventTime, content         an event of CloudMonitor
//	state, resource or scope   an alarm of Baidu's Cloud Monitor
func readShape(f *fields, arrived time.Time) ([]Event, error) {
	switch {
	case f.has("specversion"):
		return one(readStructured(f, arrived))
	case f.has("detail-type"):
		return one(readAWS(f, arrived))
	case f.has("triggerName") && f.has("triggerTime"):
		return one(readTimer(f, arrived))
	case f.has("alertState"):
		return readAlarm(f, arrived)
	case f.has("eventTime") && f.has("content"):
		return one(readMonitor(f, arrived))
	case f.has("state") && (f.has("resource") || f.has("scope")):
		return readBCM(f, arrived)
	default:
		return nil, invalid("specversion", "missing; send a CloudEvent 1.0")
	}
}

func one(e Event, err error) ([]Event, error) {
	if err != nil {
		return nil, err
	}
	return []Event{e}, nil
}

// envelope is an event before we know what it means.
type envelope struct {
	id, source, kind, subject          string
	time, expiry                       string
	traceParent, traceState, causation string

	region string // aliyunregionid
	dataAt string // where data stood: data, data_base64, detail, body
	data   []byte // empty where there is none
	opaque bool   // the data was not scanned yet, and need not be JSON
}

// event is the header with the data, read by the event's type.
func (v envelope) event(arrived time.Time) (Event, error) {
	e, err := v.header(arrived)
	if err != nil {
		return Event{}, err
	}
	if e.Data, err = v.meaning(); err != nil {
		return Event{}, err
	}
	return e, nil
}

// header checks what every event needs, and leaves the data out. What is too long
// and not needed is dropped: it must not lose the event.
func (v envelope) header(arrived time.Time) (Event, error) {
	e := Event{
		ID: v.id, Source: v.source, Type: v.kind, Subject: fitting(v.subject, maxShort),
		Time: arrived, Arrived: arrived, Causation: fitting(v.causation, maxShort),
	}
	if err := v.check(); err != nil {
		return Event{}, err
	}
	if at, ok := parseTime(v.time); ok {
		e.Time = at
	}
	if v.expiry != "" {
		at, ok := parseTime(v.expiry)
		if !ok {
			return Event{}, invalid("expirytime", "must be a time as RFC 3339 writes it")
		}
		e.Expiry = at
	}
	if strings.TrimSpace(v.subject) == "" {
		e.Subject = ""
	}
	if isTraceParent(v.traceParent) {
		e.TraceParent, e.TraceState = v.traceParent, fitting(v.traceState, maxTraceState)
	}
	return e, nil
}

func (v envelope) check() error {
	for _, a := range []struct{ name, value string }{{"id", v.id}, {"source", v.source}, {"type", v.kind}} {
		if strings.TrimSpace(a.value) == "" {
			return invalid(a.name, "missing; it must be a string that is not empty")
		}
		if hasControl(a.value) {
			return invalid(a.name, "must not hold control characters")
		}
		if problem := over(len(a.value), maxShort); problem != "" {
			return invalid(a.name, "%s", problem)
		}
	}
	if problem := over(len(v.expiry), maxTime); problem != "" {
		return invalid("expirytime", "%s", problem)
	}
	if !isURIReference(v.source) {
		return invalid("source", "%s is no URI reference; percent-encode it", shown(v.source))
	}
	return nil
}

func (v envelope) meaning() (Data, error) {
	switch {
	case strings.HasPrefix(v.kind, "havip."):
		return v.ours()
	case strings.HasPrefix(v.source, "acs."):
		return v.native()
	default:
		return Ignored{Reason: shown(v.kind) + " is no type that we act on"}, nil
	}
}

// readers read the data of our own types.
var readers = map[string]func(*fields) Data{
	TypeInstanceStarted: func(f *fields) Data { return InstanceStarted(readFact(f)) },
	TypeHealthFailed:    func(f *fields) Data { return HealthFailed(readFact(f)) },
	TypeHealthRestored:  func(f *fields) Data { return HealthRestored(readFact(f)) },
	TypeRecover:         func(f *fields) Data { return readRecover(f) },
	TypeStatusCheck:     func(f *fields) Data { return readStatusCheck(f) },
	TypeSweep:           func(f *fields) Data { return readSweep(f) },
	TypeAttached:        func(f *fields) Data { return readOutcome(f) },
	TypeUnchanged:       func(f *fields) Data { return readOutcome(f) },
	TypeIgnored:         func(f *fields) Data { return readOutcome(f) },
	TypeSuperseded:      func(f *fields) Data { return readOutcome(f) },
	TypeRefused:         func(f *fields) Data { return readOutcome(f) },
	TypeTimedOut:        func(f *fields) Data { return readOutcome(f) },

	TypeServingLost:     func(f *fields) Data { return readOutcome(f) },
	TypeServingRestored: func(f *fields) Data { return readOutcome(f) },
}

func (v envelope) ours() (Data, error) {
	read, known := readers[v.kind]
	if !known {
		return nil, invalid("type", "%s is none of ours; is it misspelt?", shown(v.kind))
	}
	if len(v.data) == 0 && v.kind == TypeSweep {
		return Sweep{}, nil
	}
	f, err := v.open()
	if err != nil {
		return nil, err
	}
	data := read(f)
	if f.err == nil && data.eventType() != v.kind {
		f.fail("outcome", "is not the one that the type names")
	}
	return data, f.err
}

// open reads the data as the object that all our types have.
func (v envelope) open() (*fields, error) {
	if err := v.scan(); err != nil {
		return nil, err
	}
	return openObject(v.dataAt, bytes.TrimLeft(v.data, " \t\r\n"))
}

// isTraceParent knows version 00 of W3C Trace Context. Anything else is dropped:
// a bad trace must not lose the event.
func isTraceParent(s string) bool {
	if len(s) != 55 || !strings.HasPrefix(s, "00-") || s[35] != '-' || s[52] != '-' {
		return false
	}
	for i := 3; i < len(s); i++ {
		if hyphen := i == 35 || i == 52; !hyphen && (hexDigit(s[i]) < 0 || s[i] >= 'A' && s[i] <= 'F') {
			return false
		}
	}
	return strings.Trim(s[3:35], "0") != "" && strings.Trim(s[36:52], "0") != ""
}

// isURIReference refuses the characters that RFC 3986 has no place for. It lets
// letters beyond ASCII pass, as an IRI may have them.
func isURIReference(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c <= ' ' || c == 0x7F || strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			return false
		case c == '%' && (len(s)-i < 3 || hexDigit(s[i+1]) < 0 || hexDigit(s[i+2]) < 0):
			return false
		}
	}
	return true
}
