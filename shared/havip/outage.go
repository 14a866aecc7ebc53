package havip

import (
	"context"
	"time"
)

// Outage is a time in which the sweep sees no holder announce an address.
type Outage struct {
	Since time.Time   `json:"since"`          // when it saw so first
	By    AnnouncedBy `json:"by"`             // stranger or nobody
	Told  bool        `json:"told,omitempty"` // havip.serving.lost is in the outbox, or out
}

// served notes that a look has read at a time that a holder announces the address, and
// forgets a time in which nobody was seen to, and which nobody has heard of.
func (r *Record) served(by AnnouncedBy, at time.Time) {
	if by != ByHolder {
		return
	}
	if at.After(r.Served) {
		r.Served = at
	}
	if r.Outage != nil && !r.Outage.Told {
		r.Outage = nil
	}
}

// watch compares who announces the address with what the record knows. Once no holder
// has done so for servingWithin it leaves havip.serving.lost in the outbox, and
// havip.serving.restored when one does again, each once. It reports whether the record
// changed.
func (k Keeper) watch(ctx context.Context, r *Record, p Policy, e Event, have HAVIP) (changed bool, err error) {
	by := have.AnnouncedBy()
	switch o := r.Outage; {
	case p.Mode == Paused || by == ByUnknown || by == ByHolder && o == nil:
		return false, nil
	case by != ByHolder && e.Arrived.Before(r.Served): // a look has read since what this sweep has not
		return false, nil
	case by == ByHolder:
		r.Outage = nil
		if !o.Told {
			return true, nil
		}
		return true, k.witness(ctx, r, p, e, have, ServingRestored, o.Since)
	case o == nil:
		r.Outage, changed = &Outage{Since: e.Arrived, By: by}, true
	case o.By != by:
		r.Outage, changed = &Outage{Since: o.Since, By: by, Told: o.Told}, true
	}
	if r.Outage.Told || e.Arrived.Before(r.Outage.Since.Add(p.ServingWithin)) {
		return changed, nil
	}
	r.Outage = &Outage{Since: r.Outage.Since, By: by, Told: true}
	return true, k.witness(ctx, r, p, e, have, ServingLost, r.Outage.Since)
}

// witness leaves in the outbox what the sweep saw, as a story of its own. Where the one
// before is not told yet it is archived: the record has room for one.
func (k Keeper) witness(ctx context.Context, r *Record, p Policy, e Event, have HAVIP, outcome Outcome, since time.Time) error {
	s := begin(p, e)
	s.ID = storyOf(p.Key(), string(outcome)+" since "+since.UTC().Format(time.RFC3339Nano))
	s.StartedAt, s.Outcome, s.EndedAt, s.Attempt = since, outcome, e.Arrived, 0
	s.Status, s.Holders, s.Announcement = have.Status, have.Holders, have.announcement()
	s.explain(have.unserved(p, ""))
	if before := r.Watched; before != nil {
		if err := k.Ledger.Archive(ctx, *before); err != nil {
			return err
		}
	}
	r.Watched = &s
	r.tell(s)
	return nil
}
