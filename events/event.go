// Package events says what we hear and what we tell: CloudEvents of our own
// types, and the shapes in which clouds report the same things.
package events

import (
	"crypto/rand"
	"time"
)

// The types of our events.
const (
	TypeInstanceStarted = "havip.instance.started"
	TypeHealthFailed    = "havip.health.failed"
	TypeHealthRestored  = "havip.health.restored"

	TypeRecover     = "havip.recover"
	TypeStatusCheck = "havip.status.check"
	TypeSweep       = "havip.sweep"

	TypeAttached   = "havip.attached"
	TypeUnchanged  = "havip.unchanged"
	TypeIgnored    = "havip.ignored"
	TypeSuperseded = "havip.superseded"
	TypeRefused    = "havip.refused"
	TypeTimedOut   = "havip.timedout"

	TypeServingLost     = "havip.serving.lost"
	TypeServingRestored = "havip.serving.restored"
)

// Source is the source of the events that we make ourselves.
const Source = "havip-functions"

// Event is a CloudEvent as it reached us, or as it leaves. Source and ID
// together identify it.
type Event struct {
	ID      string
	Source  string
	Type    string // as the sender wrote it; Data says what it means
	Subject string

	Time    time.Time // clamped by nobody; Arrived where absent or unreadable
	Arrived time.Time
	Expiry  time.Time // of the extension expirytime; zero where absent

	TraceParent string // well formed, or empty
	TraceState  string
	Causation   string // the id of the event that began it all

	Data Data
}

// IsAlarm tells whether the event is a callback of a cloud's monitor, which asks
// for another answer than other senders.
func (e Event) IsAlarm() bool {
	return e.Type == typeAlarm && (e.Source == sourceCloudMonitor || e.Source == sourceBCM)
}

// OfEveryInstance tells whether the event came from a cloud's own bus, which sends what
// befalls every instance of the account: one off the roster is nobody's mistake.
func (e Event) OfEveryInstance() bool { return e.Source == sourceECS }

// Data is what an event says, by value: [InstanceStarted], [HealthFailed],
// [HealthRestored], [Recover], [StatusCheck], [Sweep], [Outcome], or [Ignored]
// for what we understand and don't act on.
type Data interface {
	// eventType is the type under which we send it; empty for Ignored.
	eventType() string
	// subject is the id of the HAVIP that it is about, or empty.
	subject() string
}

// New makes an event of ours. An empty id draws a random one.
func New(id string, at time.Time, data Data) Event {
	if id == "" {
		id = rand.Text()
	}
	return Event{
		ID:      id,
		Source:  Source,
		Type:    data.eventType(),
		Subject: data.subject(),
		Time:    at,
		Arrived: at,
		Data:    data,
	}
}
