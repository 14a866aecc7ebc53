package functions_test

import (
	"encoding/json"
	"strings"
	"time"

	"havip-functions/shared/havip"
)

// checkForged is promise 12 for a follow-up that is none of ours: it writes to the
// HAVIP that it names alone, ends nobody else's story, and is taken for a story only
// where there is no record, as no more than its event could have been.
func (r *run) checkForged(v *invocation, s *shelf, fresh []string, record havip.Record) {
	if !v.msg.forged || len(fresh) > 0 && r.tape.news[fresh[0]] != nil { // it writes for others
		return
	}
	before, now := s.record.Story, record.Story
	switch {
	case now == nil || before != nil && before.ID == now.ID && before.Outcome == now.Outcome:
	case before.Open() && before.ID != v.msg.story:
		r.fail(12, "%s, which is forged, ended story %s as %s", v.msg.id, before.ID, now.Outcome)
	case before == nil && s.writes == 0:
		r.checkAdopted(v, s, record)
	case before == nil || !before.Open() && before.ID != now.ID:
		r.fail(12, "%s, which is forged, opened story %s", v.msg.id, now.ID)
	}
}

// checkAdopted is the half of promise 12 that is about what a forged follow-up brings.
func (r *run) checkAdopted(v *invocation, s *shelf, record havip.Record) {
	story := record.Story
	r.count("forged", "taken for a story of its event")
	s.adopted = story.ID
	r.tape.tale(*story).checked = v.msg.attempt // it is its own follow-up
	switch {
	case story.Ask.Force || story.Ask.AllowGap || story.Ask.Actor == "root":
		r.fail(12, "%s, which is forged, brings %+v", v.msg.id, story.Ask)
	case story.ID[:8] != v.msg.story[:8] || story.HAVIP != s.policy.Key(): // the one after it begins alike
		r.fail(12, "%s, which is forged, brings story %s of %s", v.msg.id, story.ID, story.HAVIP)
	case record.Frozen != nil || record.Closed != nil && record.Closed.ID != v.msg.story || record.Silenced > 0 || len(record.Seen) > 1:
		r.fail(12, "%s, which is forged, brings %+v", v.msg.id, record)
	}
	wish := v.msg.wish()
	own, _ := s.policy.Member(wish.Instance)
	for id, m := range record.Marks {
		instance := instanceOf(s.policy, id)
		switch {
		case id == own.ID && wish.Kind == havip.AskFailed && m.Failed && !m.At.After(time.Now().Add(r.apart())):
		case m.Failed && v.downs[s.policy.Cloud+instance]:
		default:
			r.fail(12, "%s, which is forged, marks %s %+v", v.msg.id, id, m)
		}
		s.book.marks[id] = m
	}
}

// wish is what a forged follow-up says that its event asked for.
func (m *message) wish() havip.Ask {
	var e struct {
		Data struct{ Carried havip.Record }
	}
	if json.Unmarshal(m.payload, &e) != nil || e.Data.Carried.Story == nil {
		return havip.Ask{}
	}
	return e.Data.Carried.Story.Ask
}

// checkTime is the half of promise 12 that is about deadlines, and more than that: no
// story has a later one than the roster gives it, whoever began it.
func (r *run) checkTime(s havip.Story, p havip.Policy) {
	if latest := time.Now().Add(p.Deadline + r.apart()); s.Open() && s.Deadline.After(latest) {
		r.fail(12, "story %s of %s has the deadline %v, the roster gives it until %v", s.ID, s.Event.ID, s.Deadline, latest)
	}
}

// onForgedEvent is promise 12 where a forged follow-up writes under the key of an
// event: it may make room there for others, and ends no story.
func (r *run) onForgedEvent(v *invocation, key string, record havip.Record) {
	if v.msg.forged && (record.Story != nil || !havip.IsEventKey(key)) {
		r.fail(12, "%s, which is forged, wrote %s: %s", v.msg.id, key, (*described)(&record))
	}
}

// checkOwn is promise 13: no letter of ours is buried, since nobody looks for it there.
func (r *run) checkOwn(payload []byte, why string) {
	if id := r.tape.ours[string(payload)]; id != "" && !strings.Contains(id, "forged") {
		r.fail(13, "%s, which is ours, was buried: %s", id, why)
	}
}
