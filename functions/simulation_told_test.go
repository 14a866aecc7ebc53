package functions_test

import (
	"errors"
	"slices"
	"strings"
	"time"

	"havip-functions/events"
	"havip-functions/shared/havip"
)

// checkMarks is promise 10, for what is known of the members: each change is that
// of a fact which was heard and is not stale, or somebody saw an instance down.
func (r *run) checkMarks(v *invocation, s *shelf, record havip.Record) {
	since := v.began.Add(-r.plan.budget) // who waited long has others write for him
	for _, m := range s.policy.Members {
		got, known := record.Marks[m.ID]
		want, should := s.book.marks[m.ID]
		switch {
		case known == should && alike(got, want):
		case known && r.said(s, m, got):
			s.book.marks[m.ID] = got
		case got.Failed && got.At.Equal(want.At) && v.downs[s.policy.Cloud+m.Instance]: // a sweep saw it
			s.book.marks[m.ID] = got
		case want.Down && !got.Failed && got.At.Equal(want.At) && v.ups[s.policy.Cloud+m.Instance]: // and that it runs again
			s.book.marks[m.ID] = got
		case !known && r.left(s, m, since):
			s.book.forgotten[m.ID] = want
			delete(s.book.marks, m.ID)
		default:
			r.fail(10, "%s is marked %+v after %s, it should be %+v", m.ID, got, v.msg.id, want)
		}
	}
}

// left tells whether the member was off the roster since then: what is known of it
// may be forgotten.
func (r *run) left(s *shelf, m havip.Member, since time.Time) bool {
	said, missing := r.asOf(s.policy.Key(), since)
	return missing > 0 || slices.ContainsFunc(said, func(p havip.Policy) bool {
		_, member := p.Member(m.ID)
		return !member
	})
}

func alike(a, b havip.Mark) bool {
	return a.Failed == b.Failed && a.Down == b.Down && a.At.Equal(b.At) && a.Since.Equal(b.Since)
}

// said tells whether a fact that was heard, and is not stale, says what the mark does.
func (r *run) said(s *shelf, m havip.Member, mark havip.Mark) bool {
	return slices.ContainsFunc(r.tape.heard[mark.Since.UnixNano()], func(n *news) bool {
		_, concerned := r.concerned(*n, s.policy.Key(), mark.Since.Add(-r.apart()))
		about, member := s.policy.Member(n.ask.Instance)
		return n.fact() && concerned && member && about == m &&
			alike(mark, n.mark(r.began, mark.Since)) && !s.book.stale(*n, r.began, mark.Since)
	})
}

// checkAdmission holds an event that a record newly knows to promises 5 and 10.
func (r *run) checkAdmission(s *shelf, id string, record havip.Record) {
	seen := record.Seen[id]
	n := r.tape.news[id]
	switch {
	case s.seen[id] != "":
		r.fail(5, "an event of story %s was admitted again, as of story %s", s.seen[id], seen.Story)
	case n != nil && n.kind != havip.AskSweep && !slices.Contains(r.tape.heard[seen.At.UnixNano()], n):
		r.fail(12, "%s was not heard at %v, and has the story %s", n.id, seen.At, seen.Story)
	case n != nil && n.fact() && s.book.stale(*n, r.began, seen.At):
		r.fail(10, "%s was stale and came to story %s", n.id, seen.Story)
	}
	s.seen[id] = seen.Story
}

// checkEnds holds an event that ended at once to promises 4 and 5: there is one end.
func (r *run) checkEnds(s *shelf, record havip.Record) {
	for id, seen := range record.Seen {
		switch {
		case seen.Outcome == "" || s.ended[id] == seen.Outcome:
		case s.seen[id] != "":
			r.fail(5, "an event of story %s was judged again, as %s", s.seen[id], seen.Outcome)
		default:
			s.seen[id], s.ended[id] = seen.Story, seen.Outcome
		}
	}
}

// checkMerged is promise 10, for the other side: what was admitted is known.
func (r *run) checkMerged(s *shelf, id string, record havip.Record) {
	n := r.tape.news[id]
	if n == nil || !n.fact() {
		return
	}
	m, _ := s.policy.Member(n.ask.Instance)
	mark := n.mark(r.began, record.Seen[id].At)
	if r.left(s, m, record.Seen[id].At.Add(-r.apart())) {
		return
	}
	if known := s.book.marks[m.ID]; known.At.Before(mark.At) || known.At.Equal(mark.At) && mark.Failed && !known.Failed {
		r.fail(10, "%s was admitted, and %s is marked %+v", n.id, m.ID, known)
	}
}

// checkIgnored is promise 10: no event is called stale that is not.
func (r *run) checkIgnored(s *shelf, id string, record havip.Record) {
	n := r.tape.news[id]
	if n == nil || record.Story == nil || !strings.HasPrefix(record.Story.Rule, "older than the newest") {
		return
	}
	r.count("fault", "stale event")
	if !s.book.wasStale(*n, r.began, record.Seen[id].At) {
		r.fail(10, "%s is none, and was ignored as %s", n.id, record.Story.Rule)
	}
}

// checkOutcome holds the end of a story to promises 4, 8 and 9.
func (r *run) checkOutcome(v *invocation, t *tale, ended havip.Story, first bool) {
	if t.outcome != "" && (t.outcome != ended.Outcome || !t.endedAt.Equal(ended.EndedAt)) {
		r.fail(4, "story %s ended as %s and as %s", ended.ID, t.outcome, ended.Outcome)
	}
	if !first {
		return
	}
	t.Story, t.outcome, t.endedAt = ended, ended.Outcome, ended.EndedAt
	r.count("outcome", string(ended.Outcome))
	r.checkServed(v, ended)
	w := v.looks[ended.ID]
	good := ended.Outcome == havip.Attached || ended.Outcome == havip.Unchanged
	if good && w != nil && !ended.Unreleased && w.have.On(ended.Want.Release) {
		r.fail(8, "story %s says %s and released, and %s still holds it", ended.ID, ended.Outcome, ended.Want.Release)
	}
	switch ended.Outcome {
	case havip.Attached:
		if w == nil || w.readAt.IsZero() || w.have.Status != havip.InUse || !w.have.On(ended.Instance) {
			r.fail(8, "story %s says attached to %s, and did not read so", ended.ID, ended.Instance)
		}
	case havip.TimedOut:
		r.checkDue(ended)
		if ended.EndedAt.Before(ended.Deadline) {
			r.fail(9, "story %s timed out %v before its deadline", ended.ID, ended.Deadline.Sub(ended.EndedAt))
		}
	case havip.Refused:
		_, gone := r.asOf(ended.HAVIP, v.saving) // a HAVIP that left the roster is nothing of ours, busy or not
		if w != nil && errors.Is(w.err, havip.ErrBusy) && ended.EndedAt.Before(ended.Deadline) && gone == 0 {
			r.fail(9, "story %s was refused because of %v", ended.ID, w.err)
		}
	case havip.ServingLost, havip.ServingRestored:
		r.checkWatch(v, ended)
	case havip.Unchanged, havip.Ignored, havip.Superseded:
	}
}

// checkDeadline is promise 4: a look at or after the deadline ends the story.
func (r *run) checkDeadline(v *invocation, s havip.Story) {
	if w := v.looks[s.ID]; w != nil && !w.readAt.IsZero() && !w.now.Before(s.Deadline) && w.sends == 0 {
		r.fail(4, "story %s went on after a look %v past its deadline", s.ID, w.now.Sub(s.Deadline))
	}
}

// checkTold holds a published outcome to promise 4.
func (r *run) checkTold(t *tale, id string, o events.Outcome) {
	t.told++
	if string(t.outcome) != o.Outcome {
		r.fail(4, "outcome %s of story %s says %s, and %q is recorded", id, o.Story, o.Outcome, t.outcome)
	}
}

// checkRemembered is promise 4: what is acknowledged is durable.
func (r *run) checkRemembered(v *invocation, n news) {
	if n.garbage != "" {
		if !r.tape.buried[n.garbage] {
			r.fail(4, "%s was acknowledged and is not in the dead letters", n.id)
		}
		return
	}
	known := r.tape.strays[n.key()]
	for _, s := range r.tape.shelves {
		always, _ := r.concerned(n, s.policy.Key(), v.began)
		story := s.seen[n.key()]
		if always && story == "" {
			r.fail(4, "%s was acknowledged and is not in the ledger of %s", v.msg.id, s.policy.ID)
		}
		if always && s.ended[n.key()] != "" && r.tape.tale(havip.Story{Origin: havip.Origin{ID: story}}).outcome == "" {
			r.fail(4, "%s was acknowledged and nobody says how it ended on %s", v.msg.id, s.policy.ID)
		}
		known = known || s.seen[n.key()] != ""
	}
	if !known && n.remembered() {
		r.fail(4, "%s was acknowledged and is not in the ledger", v.msg.id)
	}
}
