// Package trace tells a story that ended as a trace of OpenTelemetry: its event, looks,
// calls and waits in their true times, as the story itself has kept them.
package trace

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"havip-functions/shared/havip"
)

// span is one of OTLP, in its JSON: ids in hex, 64 bits as text.
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
type span struct {
	TraceID    string     `json:"traceId"`
	ID         string     `json:"spanId"`
	State      string     `json:"traceState,omitempty"`
	Parent     string     `json:"parentSpanId,omitempty"`
	Name       string     `json:"name"`
	Kind       int        `json:"kind"`
	Start      string     `json:"startTimeUnixNano"`
	End        string     `json:"endTimeUnixNano"`
	Attributes attributes `json:"attributes,omitempty"`
	Status     *status    `json:"status,omitempty"`
}

type status struct {
	Message string `json:"message,omitempty"`
	Code    int    `json:"code"`
}

// The kinds of spans, and the status that is one.
const (
	internal    = 1
	client      = 3
	consumer    = 5
	statusError = 2
)

// moment is a span with what waits after it.
type moment struct {
	span
	start, end time.Time
	look       bool
	why        string // nothing was done
}

// place is where a story stands in a trace.
type place struct {
	trace, parent string
	sampled       bool
}

// spans are a story's: one of its event, and under it each look, call and wait in turn.
// The same story has the same ids whenever and wherever it is told. One whose sender
// does not sample it has none.
func spans(s havip.Story) []span {
	in := placeOf(s)
	if !in.sampled {
		return nil
	}
	all := []span{event(s)}
	at, why := s.StartedAt, ""
	for _, m := range moments(s) {
		if m.look {
			all = append(all, waited(at, m.start, why)...)
			why = m.why
		}
		if m.end.After(at) {
			at = m.end
		}
		all = append(all, m.span)
	}
	all = append(all, waited(at, s.EndedAt, why)...)
	root := id(8, s.ID)
	for i := range all {
		all[i].TraceID, all[i].State = in.trace, s.Trace.State
		all[i].ID, all[i].Parent = id(8, s.ID, all[i].Name, all[i].Start), root
	}
	all[0].ID, all[0].Parent = root, in.parent
	return all
}

// placeOf goes on with the trace that the event came with, which nobody modifies. An
// event without one has a trace of its own, for all the stories that it began.
// https://www.w3.org/TR/trace-context/#traceparent-header
func placeOf(s havip.Story) place {
	parts := strings.Split(s.Trace.Parent, "-")
	if len(parts) != 4 || len(parts[1]) != 32 || len(parts[2]) != 16 {
		return place{trace: id(16, s.Event.Source, s.Event.ID), sampled: true}
	}
	flags, err := strconv.ParseUint(parts[3], 16, 8)
	return place{trace: parts[1], parent: parts[2], sampled: err == nil && flags&1 == 1}
}

// id is so many bytes, in hex.
func id(size int, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:size])
}

// event is the whole story, as the work on its event.
// https://opentelemetry.io/docs/specs/semconv/cloudevents/cloudevents-spans/
func event(s havip.Story) span {
	e := made("CloudEvents Process "+s.Event.Type, consumer, s.StartedAt, s.EndedAt)
	a := &e.Attributes
	a.text("cloudevents.event_id", s.Event.ID)
	a.text("cloudevents.event_source", s.Event.Source)
	a.text("cloudevents.event_type", s.Event.Type)
	a.text("havip.cloud", s.HAVIP.Cloud)
	a.text("havip.region", s.HAVIP.Region)
	a.text("havip.id", s.HAVIP.ID)
	a.text("havip.name", s.Name)
	a.text("havip.story", s.ID)
	a.text("havip.outcome", string(s.Outcome))
	a.text("havip.instance", s.Instance)
	a.texts("havip.holders", s.Holders)
	a.text("havip.announced_by", string(s.AnnouncedBy))
	a.text("havip.probe", s.Probe)
	a.number("havip.looks", s.Attempt)
	a.number("havip.calls", s.Calls)
	a.text("havip.rule", s.Rule)
	a.text("havip.code", s.Code)
	a.text("havip.advice", s.Advice)
	a.text("havip.actor", s.Ask.Actor)
	a.text("havip.successor", s.Successor)
	a.text("havip.roster", s.Roster)
	if s.Outcome == havip.Refused || s.Outcome == havip.TimedOut {
		e.fail(s.Rule, cmp.Or(s.Code, string(s.Outcome)))
	}
	return e
}

// moments are a story's looks and calls, in their order.
func moments(s havip.Story) []moment {
	var all []moment
	for _, g := range s.Looks {
		all = append(all, look(g))
	}
	for _, t := range s.Steps {
		all = append(all, call(t))
	}
	slices.SortStableFunc(all, func(a, b moment) int { return a.start.Compare(b.start) })
	return all
}

func look(g havip.Glance) moment {
	m := moment{start: g.At.Add(-time.Duration(g.Ms) * time.Millisecond), end: g.At, look: true, why: g.Why}
	m.span = made("look", internal, m.start, m.end)
	a := &m.Attributes
	a.number("havip.look", g.Attempt)
	a.text("faas.invocation_id", g.Invocation)
	a.text("havip.status", string(g.Status))
	a.texts("havip.holders", g.Holders)
	a.text("havip.announced_by", string(g.AnnouncedBy))
	a.text("havip.want.instance", g.Want.Instance)
	a.text("havip.want.release", g.Want.Release)
	a.text("havip.why", g.Why)
	if g.Status == "" {
		m.fail(g.Why, "unreadable")
	}
	return m
}

// call is a step: it is one call.
func call(t havip.Taken) moment {
	m := moment{start: t.At, end: t.At.Add(time.Duration(t.Ms) * time.Millisecond)}
	m.span = made(string(t.Step), client, m.start, m.end)
	a := &m.Attributes
	a.text("havip.instance", t.Instance)
	a.text("havip.result", t.Result)
	a.text("havip.code", t.Code)
	a.text("havip.request_id", t.RequestID)
	a.text("havip.client_token", t.ClientToken)
	if t.Result != "accepted" {
		m.fail(t.Result, cmp.Or(t.Code, t.Result))
	}
	return m
}

// ourOwn is what lies between two moments and is no wait: a write of the ledger.
const ourOwn = 50 * time.Millisecond

// waited is the time in which nothing was to be done, or nothing new was seen.
func waited(from, until time.Time, why string) []span {
	if until.Sub(from) < ourOwn {
		return nil
	}
	w := made("wait", internal, from, until)
	w.Attributes.text("havip.why", why)
	return []span{w}
}

func made(name string, kind int, start, end time.Time) span {
	return span{Name: name, Kind: kind, Start: nano(start), End: nano(end)}
}

func nano(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

func (s *span) fail(message, code string) {
	s.Status = &status{message, statusError}
	s.Attributes.text("error.type", code)
}

// attributes are what is told of a span or of who tells it; nothing is told of nothing.
type attributes []attribute

type attribute struct {
	Key   string `json:"key"`
	Value value  `json:"value"`
}

// value is one of the three.
type value struct {
	Text   string `json:"stringValue,omitempty"`
	Number string `json:"intValue,omitempty"`
	List   *list  `json:"arrayValue,omitempty"`
}

type list struct {
	Values []value `json:"values"`
}

func (a *attributes) text(key, text string) {
	if text != "" {
		*a = append(*a, attribute{key, value{Text: text}})
	}
}

func (a *attributes) number(key string, number int) {
	*a = append(*a, attribute{key, value{Number: strconv.Itoa(number)}})
}

func (a *attributes) texts(key string, texts []string) {
	if len(texts) == 0 {
		return
	}
	l := &list{}
	for _, t := range texts {
		l.Values = append(l.Values, value{Text: t})
	}
	*a = append(*a, attribute{key, value{List: l}})
}
