package functions_test

import (
	"cmp"
	"encoding/json"
	"time"

	"havip-functions/events"
	"havip-functions/shared/havip"
)

// news is an event from outside.
type news struct {
	id        string // of this part of the plan
	as        string // the event's id where that is another
	source    string
	at        time.Duration
	kind      havip.Kind // "" for what is none of ours
	cloud     string
	stamp     time.Duration // what its clock says, relative to at
	timeless  bool          // it says no time
	ask       havip.Ask
	havip     string
	region    string
	expiry    time.Duration // relative to at; 0 for never
	dryRun    bool
	garbage   string
	crowd     bool // one of very many
	stretched bool // some of its fields are at their bounds
	way       way
	batch     string          // what it travels in with others
	copies    []time.Duration // when it comes again
}

// saidOutcome is the kind of an outcome that a sender says, from which nothing follows.
const saidOutcome havip.Kind = "outcome"

// urn is where most events from outside say that they come from.
const urn = "urn:test"

func (n news) key() string {
	return havip.Event{EventRef: havip.EventRef{Source: n.source, ID: n.name()}}.Key()
}

func (n news) name() string { return cmp.Or(n.as, n.id) }

func keyOf(e events.Event) string {
	return havip.Event{EventRef: havip.EventRef{Source: e.Source, ID: e.ID}}.Key()
}

func (n news) fact() bool {
	return n.kind == havip.AskFailed || n.kind == havip.AskStarted || n.kind == havip.AskRestored
}

// when is its time, as far as we may believe it.
func (n news) when(began, arrived time.Time) time.Time {
	if n.timeless {
		return arrived
	}
	return clamped(began.Add(n.at+n.stamp), arrived)
}

func (n news) expired(began, arrived time.Time) bool {
	return n.expiry != 0 && !arrived.Before(began.Add(n.at+n.expiry))
}

// mark is what a fact says of its instance when it arrives.
func (n news) mark(began, arrived time.Time) havip.Mark {
	return havip.Mark{Failed: n.kind == havip.AskFailed, At: n.when(began, arrived), Since: arrived}
}

// concerns tells whether the event is about the HAVIP of the policy.
func (n news) concerns(p havip.Policy) bool {
	if n.kind == "" || n.kind == havip.AskSweep || n.kind == saidOutcome || n.cloud != p.Cloud || n.region != "" && n.region != p.Region {
		return false
	}
	if n.havip != "" {
		return n.havip == p.ID || n.havip == p.Name
	}
	_, member := p.Member(n.ask.Instance)
	return member
}

// remembered tells whether the ledger keeps the event, whatever it is about.
func (n news) remembered() bool { return n.kind != havip.AskSweep && n.kind != saidOutcome }

// bytes are the event in structured mode.
func (n news) bytes(began time.Time) []byte {
	if n.garbage != "" {
		return []byte(n.garbage)
	}
	at := began.Add(n.at)
	e := events.New(n.name(), at.Add(n.stamp), n.data())
	e.Source = n.source
	if n.timeless {
		e.Time = time.Time{}
	}
	if n.expiry != 0 {
		e.Expiry = at.Add(n.expiry)
	}
	return encoded(e)
}

func (n news) data() events.Data {
	fact := events.Fact{Cloud: n.cloud, Region: n.region, Instance: n.ask.Instance, HAVIP: n.havip, Reason: n.ask.Reason}
	switch n.kind {
	case havip.AskFailed:
		return events.HealthFailed(fact)
	case havip.AskStarted:
		return events.InstanceStarted(fact)
	case havip.AskRestored:
		return events.HealthRestored(fact)
	case havip.AskSweep:
		return events.Sweep{Cloud: n.cloud, Region: n.region, HAVIP: n.havip}
	case saidOutcome:
		return events.Outcome{Cloud: n.cloud, Region: n.region, HAVIP: n.havip, Story: n.id, Outcome: string(havip.Attached), Instance: n.ask.Instance}
	default:
		return events.Recover{
			Cloud: n.cloud, Region: n.region, HAVIP: n.havip, Instance: n.ask.Instance, Release: n.ask.Release,
			Force: n.ask.Force, AllowGap: n.ask.AllowGap, Actor: n.ask.Actor, Reason: n.ask.Reason, DryRun: n.dryRun,
		}
	}
}

func encoded(e events.Event) []byte {
	bytes, err := json.Marshal(e)
	if err != nil {
		panic(err) // the simulation's own events encode
	}
	return bytes
}
