package havip

import (
	"context"
	"maps"
	"strings"
	"time"
)

// adoptable tells whether a follow-up that we did not write may bring its story
// along. It may not take the name of another's: of a HAVIP that it does not name, or of
// an event that ended at once. Nor may it be so far on that the next would be none.
func (k Keeper) adoptable(ctx context.Context, c Check, rostered bool) (bool, error) {
	const most = 1 << 20 // looks: more than any story has
	if !rostered || !strings.HasPrefix(c.Story, c.HAVIP.Shelf()) || c.Attempt > most {
		return false, nil
	}
	_, rev, err := Load[Record](ctx, k.Ledger, EventKey(c.Story))
	return rev == 0, err
}

// adopt makes a record of what a follow-up carries, where the ledger has none:
// it was lost, or there never was one. What we did not write ourselves may do no
// more than its event could have: it brings no force, no gap, no marks but its
// own, and at most the roster's deadline.
func (k Keeper) adopt(ctx context.Context, c Check, carried Carried, p Policy, rostered bool) (Record, error) {
	r := carried.Record
	s := *r.Story
	if !carried.Ours {
		if ok, err := k.adoptable(ctx, c, rostered); !ok || err != nil {
			return Record{}, err
		}
		now := k.Now()
		s = humble(s, c, p, now)
		r = Record{Story: &s, N: r.N, Pending: r.Pending, Failover: r.Failover}
		if r.Pending != nil {
			r.Pending.SentAt = within(r.Pending.SentAt, now, k.settle()) // else nobody could act before it settles
			r.Pending.AnsweredAt = time.Time{}                           // it teaches nothing
			if r.Pending.Token != r.Pending.token(s.ID, p.ID, r.N) {
				r.Pending.Accepted = 2 // no token of ours: the next call has another
			}
		}
		switch f := r.Failover; {
		case f == nil:
		case f.Story == c.Story: // its next call is one, by the brake and the cool-down
			r.Failover = nil
		default:
			f.At = within(f.At, now, p.CoolDown)
		}
		if m, member := p.Member(s.Ask.Instance); member && s.Ask.Kind == AskFailed {
			r.mark(p, m.ID, Mark{Failed: true, At: s.StartedAt, Since: s.StartedAt})
		}
	}
	r.Story = &s
	r.remember(Event{EventRef: s.Event, Arrived: s.StartedAt}, s.ID)
	return r, nil
}

// keep keeps what the ledger came to know since it was lost: events that ended at
// once, and what sweeps saw.
func (r *Record) keep(known Record) {
	r.Outbox, r.Watched, r.Drift, r.Outage, r.Served = known.Outbox, known.Watched, known.Drift, known.Outage, known.Served
	if known.Frozen != nil {
		r.Frozen = known.Frozen
	}
	maps.Copy(r.Seen, known.Seen)
	for id, mark := range known.Marks {
		switch {
		case r.Marks == nil:
			r.Marks = known.Marks
		case !r.Marks[id].At.After(mark.At):
			r.Marks[id] = mark
		}
	}
}

// within is a time of at most so long ago, and none that is still to come.
func within(t, now time.Time, ago time.Duration) time.Time {
	switch earliest := now.Add(-ago); {
	case t.After(now):
		return now
	case t.Before(earliest):
		return earliest
	}
	return t
}

// unproven stands before the source of what we did not write.
const unproven = "unproven "

// humble leaves of a story what anybody could have asked for.
func humble(s Story, c Check, p Policy, now time.Time) Story {
	began, deadline := within(s.StartedAt, now, p.Deadline), s.Deadline
	if latest := began.Add(p.Deadline); deadline.After(latest) {
		deadline = latest
	}
	if !strings.HasPrefix(s.Event.Source, unproven) { // else the real event of that name would count as seen
		s.Event.Source = unproven + s.Event.Source
	}
	s.ID, s.HAVIP, s.Name, s.Attempt, s.Roster = c.Story, c.HAVIP, p.Name, c.Attempt, p.Roster
	s.StartedAt, s.Deadline, s.NextAt, s.Since, s.Witness = began, deadline, now, time.Time{}, Witness{}
	if !s.SettledAt.IsZero() {
		s.SettledAt = within(s.SettledAt, now, p.Deadline)
	}
	s.Ask = Ask{Kind: s.Ask.Kind, Instance: s.Ask.Instance, Release: s.Ask.Release, Reason: s.Ask.Reason, Actor: strings.TrimSpace(unproven)}
	s.Outcome, s.Successor, s.EndedAt = "", "", time.Time{}
	return *shortened(&s, maxSteps/2)
}
