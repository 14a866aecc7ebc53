package functions_test

import (
	"time"

	"havip-functions/shared/havip"
)

// book knows, from the events that were admitted and their order alone, what
// should be known of the members of a HAVIP. It is written from DESIGN.md, not
// from the code that it is held against.
type book struct {
	policy    havip.Policy
	marks     map[string]havip.Mark
	forgotten map[string]havip.Mark // of who left the roster meanwhile
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

// stale tells whether an event may change nothing.
func (b book) stale(n news, began, arrived time.Time) bool {
	return b.older(n, b.marks, began, arrived)
}

// wasStale tells whether it was while we knew more.
func (b book) wasStale(n news, began, arrived time.Time) bool {
	return b.stale(n, began, arrived) || b.older(n, b.forgotten, began, arrived)
}

func (b book) older(n news, marks map[string]havip.Mark, began, arrived time.Time) bool {
	m, member := b.policy.Member(n.ask.Instance)
	if n.expired(began, arrived) || !member {
		return true
	}
	newest, known := marks[m.ID]
	at := n.when(began, arrived)
	tie := newest.At.Equal(at) && newest.Failed && n.kind != havip.AskFailed
	return known && (newest.At.After(at) || tie)
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
