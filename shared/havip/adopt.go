package havip

import "time"

// adopt makes a record of what a follow-up carries, where the ledger has none:
// it was lost, or there never was one. What we did not write ourselves may do no
// more than its event could have: it brings no force, no gap, no marks but its
// own, and at most the roster's deadline.
func (k Keeper) adopt(c Check, p Policy) Record {
	r := *c.Carried
	s := *r.Story
	if !c.Ours {
		s = humble(s, c, p, k.Now())
		r = Record{Story: &s, N: r.N, Pending: r.Pending, Failover: r.Failover}
		if m, member := p.Member(s.Ask.Instance); member && s.Ask.Kind == AskFailed {
			r.mark(p, m.ID, Mark{Failed: true, At: s.StartedAt, Since: s.StartedAt})
		}
	}
	r.Story = &s
	r.remember(Event{EventRef: s.Event, Arrived: s.StartedAt}, s.ID)
	return r
}

// humble leaves of a story what anybody could have asked for.
func humble(s Story, c Check, p Policy, now time.Time) Story {
	began, deadline := s.StartedAt, s.Deadline
	if began.After(now) {
		began = now
	}
	if latest := now.Add(p.Deadline); deadline.After(latest) {
		deadline = latest
	}
	s.ID, s.HAVIP, s.Name, s.Attempt, s.Roster = c.Story, c.HAVIP, p.Name, c.Attempt, p.Roster
	s.StartedAt, s.Deadline = began, deadline
	s.Ask = Ask{Kind: s.Ask.Kind, Instance: s.Ask.Instance, Release: s.Ask.Release, Reason: s.Ask.Reason, Actor: "unproven"}
	s.Outcome, s.Successor, s.EndedAt = "", "", time.Time{}
	return *shortened(&s, maxSteps/2)
}
