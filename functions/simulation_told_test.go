package functions_test

import (
	"errors"

	"havip-functions/events"
	"havip-functions/shared/havip"
)

// checkMarks is promise 10, for what is known of the members.
func (r *run) checkMarks(v *invocation, s *shelf, record havip.Record) {
	for _, m := range s.policy.Members {
		got, known := record.Marks[m.ID]
		want, should := s.book.marks[m.ID]
		if known == should && got.Failed == want.Failed && got.At.Equal(want.At) && got.Since.Equal(want.Since) {
			continue
		}
		if got.Failed && got.At.Equal(want.At) && v.downs[s.policy.Cloud+m.Instance] { // a sweep saw it
			s.book.marks[m.ID] = got
			continue
		}
		r.fail(10, "%s is marked %+v after %s, it should be %+v", m.ID, got, v.msg.id, want)
	}
}

// checkStale is promise 10, for the story.
func (r *run) checkStale(v *invocation, s *shelf, n *news, record havip.Record, story string) {
	if !n.fact() || !s.book.stale(*n, r.began, v.began) {
		return
	}
	r.count("fault", "stale event")
	if record.Story != nil && record.Story.ID == story && (s.record.Story == nil || s.record.Story.ID != story) {
		r.fail(10, "%s was stale and opened story %s", n.id, story)
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
		if ended.EndedAt.Before(ended.Deadline) {
			r.fail(9, "story %s timed out %v before its deadline", ended.ID, ended.Deadline.Sub(ended.EndedAt))
		}
	case havip.Refused:
		if w != nil && errors.Is(w.err, havip.ErrBusy) && ended.EndedAt.Before(ended.Deadline) {
			r.fail(9, "story %s was refused because of %v", ended.ID, w.err)
		}
	case havip.Unchanged, havip.Ignored, havip.Superseded:
	}
}

// checkDeadline is promise 4: a look at or after the deadline ends the story.
func (r *run) checkDeadline(v *invocation, s havip.Story) {
	if w := v.looks[s.ID]; w != nil && !w.readAt.IsZero() && !w.readAt.Before(s.Deadline) && w.sends == 0 {
		r.fail(4, "story %s went on after a look %v past its deadline", s.ID, w.readAt.Sub(s.Deadline))
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
	key := havip.Event{EventRef: havip.EventRef{Source: source, ID: n.id}}.Key()
	for _, s := range r.tape.shelves {
		if n.concerns(s.policy) && s.seen[key] == "" {
			r.fail(4, "%s was acknowledged and is not in the ledger of %s", v.msg.id, s.policy.ID)
		}
	}
}
