package functions_test

import (
	"slices"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// checkSend holds a mutating call that is about to leave to promises 1, 2, 3, 5
// and 7.
func (r *run) checkSend(w *witness, s *sent, shelf *shelf) {
	if _, member := w.policy.Member(s.call.Instance); !member && s.verb == havip.Attach {
		r.fail(1, "attach of %s, which is not on the roster", s.call.Instance)
	}
	r.checkRoster(w, s)
	if r.tape.encore {
		r.fail(5, "%s of %s after every event had come before", s.verb, s.call.Instance)
	}
	r.checkRead(w, s)
	r.checkUnresolved(w, s)
	if s.verb == havip.Detach {
		r.checkDetach(w, s)
	}
	r.checkCoolDown(w, s, shelf)
}

// checkRead is the first half of promise 3: the HAVIP was read at rest, after
// the last write but the lease, and once for each call.
func (r *run) checkRead(w *witness, s *sent) {
	switch {
	case w.sends > 1:
		r.fail(3, "%d mutating calls after one read", w.sends)
	case w.readAt.IsZero() || w.err != nil && w.sends == 1 && w.have.ID == "":
		r.fail(3, "%s of %s without a read", s.verb, s.call.Instance)
	case w.have.Moving():
		r.fail(3, "%s of %s although it was read as %s", s.verb, s.call.Instance, w.have.Status)
	case s.lease.writes != w.begunAt:
		r.fail(3, "%s of %s leased after %d writes, read after %d", s.verb, s.call.Instance, s.lease.writes, w.begunAt)
	}
}

// checkUnresolved is the second half: no call of ours is unresolved.
func (r *run) checkUnresolved(w *witness, s *sent) {
	before := s.lease.previous
	if before == nil || before.no || before.shown || s.slept || before.slept() || len(before.sent) == 0 {
		return
	}
	if w.have.On(before.Instance) == (before.Verb == havip.Attach) {
		return
	}
	if age := w.readAt.Sub(before.SentAt); age < settle-r.apart() {
		r.fail(3, "%s of %s while the %s of %s, %v old, was unresolved", s.verb, s.call.Instance, before.Verb, before.Instance, age)
	}
}

func (l *lease) slept() bool {
	return slices.ContainsFunc(l.sent, func(s *sent) bool { return s.slept })
}

// checkMoving is promise 3 by the simulator's own word: no call reaches a HAVIP
// that moves, but for what a third party, a sleeper, or a call that settle
// should have outlived makes of it.
func (r *run) checkMoving(w *witness, s *sent, c simulator.Call) {
	shelf := r.tape.shelf(w.policy)
	meddled := !shelf.meddled.IsZero() && c.Time.Sub(shelf.meddled) < 5*time.Minute
	older := false
	for l := s.lease.previous; l != nil; l = l.previous {
		older = older || c.Time.Sub(l.SentAt) >= settle-r.apart() && !l.shown || l.slept()
	}
	if c.Replay || meddled || s.slept || older || len(s.arrived) > 1 || len(s.lease.sent) > 1 {
		r.count("fault", "moved under our call")
		return
	}
	r.fail(3, "%s of %s reached %s while it moved", c.Operation, s.call.Instance, c.HAVIP)
}

// checkDetach is promise 2.
func (r *run) checkDetach(w *witness, s *sent) {
	out, ask, p := s.call.Instance, s.lease.ask, w.policy
	healthy := func(id string) bool { return !s.lease.failed[id] }
	named := ask.Kind == havip.AskRecover && ask.Release == out
	beside := slices.ContainsFunc(w.have.Holders, func(id string) bool {
		return id != out && healthy(id) && !w.states[instanceOf(p, id)].Down()
	})
	switch {
	case healthy(out) && !beside && (ask.Kind != havip.AskRecover || !ask.AllowGap):
		r.fail(2, "detach of %s, the last healthy holder of %v", out, w.have.Holders)
	case healthy(out) && !named:
		r.fail(2, "detach of %s, which is healthy, and nobody asked for it", out)
	case p.OnHealthFailed == havip.Add && !named:
		r.fail(2, "detach of %s although failed holders are to stay", out)
	case s.call.Force && p.OnHealthFailed != havip.ForceReplace && !ask.Force:
		r.fail(2, "detach of %s with a force that nobody asked for", out)
	}
	if len(w.have.Holders) < p.Limit && ask.Kind != havip.AskRecover && r.short(w, s) {
		r.fail(2, "detach of %s before an attach that there was room for", out)
	}
}

// short tells whether fewer hold the HAVIP than should, and a spare one, that
// the cloud did not refuse, could.
func (r *run) short(w *witness, s *sent) bool {
	stay, spare := 0, false
	for _, id := range w.have.Holders {
		if !s.lease.failed[id] && id != s.call.Instance {
			stay++
		}
	}
	refused := slices.ContainsFunc(r.tape.stories[w.story].Steps, func(t havip.Taken) bool { return t.Result != "accepted" })
	for _, m := range w.policy.Members {
		spare = spare || !w.have.On(m.ID) && !s.lease.failed[m.ID] && !w.states[m.Instance].Down()
	}
	return stay < w.policy.Hold && spare && !refused
}

func instanceOf(p havip.Policy, id string) string {
	m, _ := p.Member(id)
	return m.Instance
}

// checkCoolDown is promise 7, for the call that a failover begins with.
func (r *run) checkCoolDown(w *witness, s *sent, shelf *shelf) {
	if !isFailover(s.lease.ask.Kind) || s.slept || !shelf.failover[w.story].at.Equal(s.lease.SentAt) {
		return
	}
	healthy := slices.ContainsFunc(w.have.Holders, func(id string) bool {
		return !s.lease.failed[id] && !w.states[instanceOf(w.policy, id)].Down()
	})
	for story, f := range shelf.failover {
		since := w.readAt.Sub(f.at)
		if story != w.story && healthy && since >= r.apart() && since < w.policy.CoolDown-r.apart() {
			r.fail(7, "%s of %s %v after the failover of story %s, while a healthy holder remained", s.verb, s.call.Instance, since, story)
		}
	}
}

// checkBrake holds an account and region to as many failovers as the brake lets
// through, until a person lifts it for the calm.
func (r *run) checkBrake(p havip.Policy, account string, now time.Time) {
	n := 0
	for _, s := range r.tape.shelves {
		for story, f := range s.failover {
			if t := r.tape.stories[story]; t != nil && t.Outcome == havip.Refused && !t.Acted { // the cloud did, and it moved nothing
				continue
			}
			if s.policy.Cloud == p.Cloud && f.account == account && now.Sub(f.at) < p.Brake.Within-settle-r.apart() { // it is counted a moment before
				n++
			}
		}
	}
	if most := p.Brake.Failovers; most > 0 && n > most && !r.calm {
		r.fail(7, "%d failovers within %v in %s %s, and the brake allows %d", n, p.Brake.Within, p.Cloud, p.Region, most)
	}
}

// checkToken is promise 6: a step that is tried again says so.
func (r *run) checkToken(l *lease) {
	before := l.previous
	if before == nil {
		return
	}
	open := !before.no && !before.moot && before.yes < 2 && !before.slept()
	switch {
	case l.same(before) && open && l.Token != before.Token:
		r.fail(6, "the retry of %s %s has another token", l.Verb, l.Instance)
	case !l.same(before) && l.Token == before.Token:
		r.fail(6, "%s %s has the token of %s %s", l.Verb, l.Instance, before.Verb, before.Instance)
	case l.Token == before.Token && (before.shown && l.n > before.n || before.Accepted > 1):
		r.fail(6, "%s %s has a token that can only bring the old answer", l.Verb, l.Instance)
	}
}

// checkOpen is promise 5: a story that ended does nothing more.
func (r *run) checkOpen(l *lease) {
	if t := r.tape.stories[l.story]; t != nil && t.outcome != "" {
		r.fail(5, "%s of %s by story %s, which had ended as %s", l.Verb, l.Instance, l.story, t.outcome)
	}
}
