package functions_test

import (
	"time"

	"havip-functions/shared/havip"
)

// book knows, from the events that were admitted and their order alone, what
// should be known of the members of a HAVIP. It is written from DESIGN.md, not
// from the code that it is held against.
type book struct {
	policy havip.Policy
	marks  map[string]havip.Mark
}

// clamped is an event's time as we may believe it.
func clamped(stamp, arrived time.Time) time.Time {
	earliest, latest := arrived.Add(-24*time.Hour), arrived.Add(5*time.Second)
	switch {
	case stamp.Before(earliest):
		return earliest
	case stamp.After(latest):
		return latest
	default:
		return stamp
	}
}

func (n news) fact() bool {
	return n.kind == havip.AskFailed || n.kind == havip.AskStarted || n.kind == havip.AskRestored
}

func (n news) expired(began, arrived time.Time) bool {
	return n.expiry != 0 && !arrived.Before(began.Add(n.at+n.expiry))
}

// stale tells whether an event may change nothing.
func (b book) stale(n news, began, arrived time.Time) bool {
	m, member := b.policy.Member(n.ask.Instance)
	if n.expired(began, arrived) || !member {
		return true
	}
	newest, known := b.marks[m.ID]
	at := clamped(began.Add(n.at+n.stamp), arrived)
	tie := newest.At.Equal(at) && newest.Failed && n.kind != havip.AskFailed
	return known && (newest.At.After(at) || tie)
}

// mark is what a fact says of its instance when it arrives.
func (n news) mark(began, arrived time.Time) havip.Mark {
	return havip.Mark{Failed: n.kind == havip.AskFailed, At: clamped(began.Add(n.at+n.stamp), arrived), Since: arrived}
}

// failed are the policy's members with a live mark of failure.
func (b book) failed(p havip.Policy, now time.Time) map[string]bool {
	failed := map[string]bool{}
	for id, m := range b.marks {
		if _, member := p.Member(id); member && m.Failed && now.Before(m.Since.Add(p.MarkTTL)) {
			failed[id] = true
		}
	}
	return failed
}

// concerns tells whether the event is about the HAVIP of the policy.
func (n news) concerns(p havip.Policy) bool {
	if n.kind == "" || n.kind == havip.AskSweep || n.cloud != p.Cloud || n.region != "" && n.region != p.Region {
		return false
	}
	if n.havip != "" {
		return n.havip == p.ID || n.havip == p.Name
	}
	_, member := p.Member(n.ask.Instance)
	return member
}
