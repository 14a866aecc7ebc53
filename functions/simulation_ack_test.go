package functions_test

import (
	"slices"

	"havip-functions/shared/havip"
)

// onAck judges an acknowledgement.
func (t *tape) onAck(r *run, v *invocation) {
	for _, s := range t.shelves {
		if story := s.record.Story; v.msg.attempt > 0 && !v.msg.forged && !v.hopped && story.Open() && story.ID == v.msg.story && story.Attempt == v.msg.attempt {
			r.fail(4, "%s was acknowledged, and story %s still waits for it", v.msg.id, story.ID)
		}
		t.checkPublished(r, v, s, s.record, false)
	}
	for key, record := range t.events {
		if len(record.Outbox) == 0 {
			continue
		}
		t.checkPublished(r, v, t.shelfOf(key), record, true)
	}
	for _, n := range v.msg.news {
		r.checkRemembered(v, *n)
		r.checkExtreme(n)
	}
}

// disowned tells that the message's event concerns a HAVIP no more, since the roster
// was edited while it was delivered again. What it left there is the sweep's to
// publish; what ended at once, and has no key but its own, is told of by nobody, and
// its end as a stray instead.
func (r *run) disowned(v *invocation, s *shelf, l *letter) bool {
	_, missing := r.asOf(s.policy.Key(), v.began)
	if len(v.msg.news) == 0 { // a check, or a sweep of ours
		return v.msg.attempt == 0 && missing > 0
	}
	return !slices.ContainsFunc(v.msg.news, func(n *news) bool {
		if len(l.news) > 0 && !slices.Contains(l.news, n.key()) { // of another event of the batch
			return false
		}
		always, _ := r.concerned(*n, s.policy.Key(), v.began)
		return always || n.kind == havip.AskSweep && missing == 0
	})
}

// adopted tells that a stray's event concerns a HAVIP by now.
func (r *run) adopted(v *invocation) bool {
	return slices.ContainsFunc(v.msg.news, func(n *news) bool {
		return slices.ContainsFunc(r.plan.policies, func(p havip.Policy) bool {
			_, ever := r.concerned(*n, p.Key(), v.began)
			return ever
		})
	})
}

// checkPublished is promise 4 for what lies in an outbox, of a HAVIP or of an event's
// own.
func (t *tape) checkPublished(r *run, v *invocation, s *shelf, record havip.Record, own bool) {
	for _, l := range record.Outbox {
		known := t.letters[l.ID]
		switch {
		case !known.of(v.msg) || known.published:
		case s != nil && r.disowned(v, s, known), s == nil && r.adopted(v):
			if own {
				t.stories[l.Ended].disowned = true
			}
			r.count("fault", "roster: an event concerns nobody any more")
		default:
			r.fail(4, "%s was acknowledged while %s, which it wrote, was not published", v.msg.id, l.ID)
		}
	}
}
