package havip

import (
	"context"
	"time"
)

// Outage is a time in which no holder is seen to serve an address.
type Outage struct {
	Since time.Time   `json:"since"`          // when that was seen first
	By    AnnouncedBy `json:"by"`             // stranger, nobody or mute
	Why   string      `json:"why,omitempty"`  // why it did not answer
	Told  bool        `json:"told,omitempty"` // havip.serving.lost is in the outbox, or out
}

// announced notes who announces the address, as a look has read at a time. An outage
// that was told ends by a sweep, and one of an address that did not answer by an answer.
func (r *Record) announced(h HAVIP, at time.Time) {
	by := h.AnnouncedBy()
	if by == ByHolder && at.After(r.Served) {
		r.Served = at
	}
	switch o := r.Outage; {
	case by == ByMute && o == nil:
		r.Outage = &Outage{Since: at, By: by, Why: h.Witness.ProbeReason}
	case by == ByMute:
		r.Outage = &Outage{Since: o.Since, By: by, Why: h.Witness.ProbeReason, Told: o.Told}
	case by == ByHolder && o != nil && !o.Told && (o.By != ByMute || h.Witness.Probe == Reachable):
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
	case by == ByHolder && o.By == ByMute && have.Witness.Probe == NotTried: // nobody knows
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
		r.Outage, changed = &Outage{Since: e.Arrived, By: by, Why: have.Witness.ProbeReason}, true
	case o.By != by:
		r.Outage, changed = &Outage{Since: o.Since, By: by, Why: have.Witness.ProbeReason, Told: o.Told}, true
	}
	if r.Outage.Told || e.Arrived.Before(r.Outage.Since.Add(p.ServingWithin)) {
		return changed, nil
	}
	r.Outage = &Outage{Since: r.Outage.Since, By: by, Why: r.Outage.Why, Told: true}
	return true, k.witness(ctx, r, p, e, have, ServingLost, r.Outage.Since)
}

// witness leaves in the outbox what the sweep saw, as a story of its own. Where the one
// before is not told yet it is archived: the record has room for one.
func (k Keeper) witness(ctx context.Context, r *Record, p Policy, e Event, have HAVIP, outcome Outcome, since time.Time) error {
	s := begin(p, e)
	s.ID = storyOf(p.Key(), string(outcome)+" since "+since.UTC().Format(time.RFC3339Nano))
	s.StartedAt, s.Outcome, s.EndedAt, s.Attempt = since, outcome, e.Arrived, 0
	s.Status, s.Holders, s.Announcement = have.Status, have.Holders, have.announcement()
	s.Witness = have.Witness
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
