package functions_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// onSave sees a value as it was written: the record of a HAVIP, or of an event.
func (t *tape) onSave(r *run, v *invocation, key string, value []byte) {
	if strings.HasPrefix(key, "brake.") || strings.HasPrefix(key, "timing.") {
		return
	}
	s := t.shelves[key]
	var record havip.Record
	if s != nil && isEmptied(s.text, value) { // nearly each third is, and need not be read
		record = s.record
		record.Outbox = nil
	} else {
		r.failIf(0, json.Unmarshal(value, &record))
	}
	r.note("  %s saves %s: %s", v.msg.id, key, (*described)(&record))
	if len(value) > maxRecord {
		r.fail(13, "the record %s has %d bytes", key, len(value))
	}
	if s == nil {
		t.onEvent(r, v, key, record)
		return
	}
	r.checkEnds(s, record)
	fresh := fresh(record, s.record)
	r.checkForged(v, s, fresh, record)
	for _, id := range fresh {
		r.checkAdmission(s, id, record)
	}
	r.checkMarks(v, s, record)
	for _, id := range fresh {
		r.checkMerged(s, id, record)
	}
	switch {
	case record.Pending == nil:
	case v.msg.forged && s.writes == 0 && record.Pending.Token == forgedToken: // it is waited for, and never sent
		s.lease = &lease{PendingCall: *record.Pending, by: v, story: record.Story.ID, no: true}
	case s.record.Pending == nil || !s.record.Pending.SentAt.Equal(record.Pending.SentAt):
		t.onLease(r, v, s, record)
	default:
		s.lease.Accepted = record.Pending.Accepted
	}
	s.writes++
	t.onLetters(r, v, fresh, record, s.record)
	t.onStory(r, v, s, record)
	s.record, s.text = record, value
}

// isEmptied tells that a record is written as it was, but for its outbox, which is gone.
func isEmptied(before, now []byte) bool {
	const outbox = `"outbox":[`
	from := bytes.Index(before, []byte(outbox))
	if from < 0 || from > len(now) || !bytes.Equal(before[:from], now[:from]) || !bytes.HasSuffix(before, now[from:]) {
		return false
	}
	return bytes.HasSuffix(before[:len(before)-len(now)+from], []byte("],"))
}

// fresh are the events that a record did not know before, in the order of their keys,
// but for those that ended at once.
func fresh(record, before havip.Record) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(record.Seen)) {
		if _, known := before.Seen[id]; !known && (record.Seen[id].Outcome == "" || record.Story != nil && record.Story.ID == record.Seen[id].Story) {
			ids = append(ids, id)
		}
	}
	return ids
}

// onHeard sees an event reach the function that answers it.
func (t *tape) onHeard(v *invocation, e events.Event) {
	v.trespass("a function")
	v.checkArrival(v, e.ID, e.Arrived)
	if n := t.news[keyOf(e)]; n != nil {
		at := e.Arrived.UnixNano()
		t.heard[at] = append(t.heard[at], n)
	}
}

// maxRecord is what a record may have, whatever arrives.
const maxRecord = 16 << 10

// onEvent sees an event written down under its own key: what the record has given
// up, or what ended at once.
func (t *tape) onEvent(r *run, v *invocation, key string, record havip.Record) {
	r.onForgedEvent(v, key, record)
	before := t.events[key]
	t.events[key] = record
	for id := range record.Seen {
		t.strays[id] = t.strays[id] || havip.IsStrayKey(key)
	}
	if s := t.shelfOf(key); s != nil {
		for id, seen := range record.Seen {
			s.seen[id] = seen.Story
			if record.Story != nil && before.Story == nil {
				r.checkIgnored(s, id, record)
			}
		}
	}
	t.onLetters(r, v, fresh(record, before), record, before)
}

func (t *tape) onLease(r *run, v *invocation, s *shelf, record havip.Record) {
	p := *record.Pending
	said, _ := r.asOf(s.policy.Key(), v.saving)
	l := &lease{PendingCall: p, by: v, n: record.N, story: record.Story.ID, ask: record.Story.Ask, writes: s.writes, previous: s.lease, roster: said}
	if w := v.looks[l.story]; w != nil { // by the host's word it is decided whose mark has expired
		l.failed = s.book.failed(w.policy, w.now)
	}
	if l.previous != nil && l.Token == l.previous.Token {
		l.yes = l.previous.yes // an answer that was only replayed twice is worth nothing
	}
	r.checkToken(l)
	r.checkOpen(l)
	s.lease, v.leases[p.Token] = l, l
	if isFailover(l.ask.Kind) {
		if _, known := s.failover[l.story]; !known {
			account := v.looks[l.story].policy.Account
			s.failover[l.story] = failover{p.SentAt, account}
			r.checkBrake(s.policy, account, p.SentAt)
		}
	}
}

func isFailover(k havip.Kind) bool { return k == havip.AskFailed || k == havip.AskSweep }

// onLetters sees what was put into an outbox, and what left it.
func (t *tape) onLetters(r *run, v *invocation, fresh []string, now, before havip.Record) {
	for _, l := range now.Outbox {
		known := t.letters[l.ID]
		if known == nil {
			t.letters[l.ID] = &letter{by: v.msg, news: slices.DeleteFunc(slices.Clone(fresh), func(id string) bool {
				return t.news[id] == nil || t.news[id].kind == havip.AskSweep // which looks at how things are, and writes for itself
			})}
		}
		if l.Check != nil {
			tale := t.tale(havip.Story{Origin: havip.Origin{ID: l.Check.Story}})
			tale.checked = max(tale.checked, l.Check.Attempt)
		}
		ended, here := now.Ended(l)
		if !here { // others have taken its place, perhaps in the same write
			ended, here = t.archive[l.Ended]
		}
		switch {
		case here:
			r.checkOutcome(v, t.tale(ended), ended, known == nil)
		case l.Ended != "":
			r.fail(4, "nobody keeps story %s, whose outcome waits to be told", l.Ended)
		}
	}
	for _, l := range before.Outbox {
		inNow := slices.ContainsFunc(now.Outbox, func(other havip.Message) bool { return other.ID == l.ID })
		if !inNow && l.Ended != "" && !t.letters[l.ID].published {
			r.fail(4, "the outcome of story %s left the outbox unpublished", l.Ended)
		}
	}
}

func (t *tape) tale(s havip.Story) *tale {
	known := t.stories[s.ID]
	if known == nil {
		known = &tale{Story: s}
		t.stories[s.ID] = known
	}
	return known
}

// onStory sees the story of a record go on.
func (t *tape) onStory(r *run, v *invocation, s *shelf, record havip.Record) {
	if record.Story == nil {
		return
	}
	r.checkTime(*record.Story, s.policy)
	if w := v.looks[record.Story.ID]; w != nil && w.err == nil && w.have.ID != "" && record.Story.AnnouncedBy == havip.ByHolder && w.now.After(s.served) &&
		(w.policy.Probe.How == "" || record.Story.Probe == havip.Reachable) {
		s.served = w.now
	}
	tale := t.tale(*record.Story)
	if was := s.record.Story; record.Story.Open() && was != nil && was.ID == record.Story.ID && was.Attempt < record.Story.Attempt {
		r.checkDeadline(v, *record.Story)
		if v.msg.attempt > 0 && !v.advanced && r.plan.watch == 0 && v.msg.attempt != was.Attempt {
			r.fail(5, "%s, of attempt %d, looked again at story %s in attempt %d", v.msg.id, v.msg.attempt, was.ID, was.Attempt)
		}
		v.advanced = true
		if l := s.lease; l == nil || l.by != v || l.story != was.ID {
			r.count("step", "Wait")
		}
	}
	tale.Story = *record.Story
	if record.Story.Open() && tale.checked < record.Story.Attempt {
		r.fail(4, "story %s is open at attempt %d without a follow-up", tale.ID, tale.Attempt)
	}
}

// onRead sees an effect show.
func (t *tape) onRead(w *witness) {
	t.truths[w.story] = append(t.truths[w.story], w.truth...)
	if l := t.shelf(w.policy).lease; l != nil && w.have.On(l.Instance) == (l.Verb == havip.Attach) {
		l.shown, l.moot = l.shown || len(l.sent) > 0, true
	}
}

// onSend judges a mutating call that is about to leave.
func (t *tape) onSend(r *run, w *witness, s *sent) {
	shelf := t.shelf(w.policy)
	s.lease = w.v.leases[s.call.Token]
	if s.lease == nil {
		r.fail(3, "%s %s was sent without a lease in the ledger", s.verb, s.call.Instance)
		return
	}
	r.count("step", string(s.verb)+map[bool]string{true: " with force"}[s.call.Force])
	r.checkSend(w, s, shelf)
	s.lease.sent = append(s.lease.sent, s)
}

// onCall sees what the simulator wrote down of a call.
func (t *tape) onCall(r *run, w *witness, s *sent, c simulator.Call) {
	if c.Moving {
		r.checkMoving(w, s, c)
	}
}

func (t *tape) onAnswer(_ *run, s *sent, err error) {
	switch {
	case s.lease == nil:
	case err == nil:
		s.lease.yes++
	case definite(err):
		s.lease.no = true
	}
}

func (t *tape) onPublish(r *run, v *invocation, ce cloudevents.Event) {
	t.publishes++
	id := ce.ID()
	r.note("  %s publishes %s %.8s", v.msg.id, ce.Type(), id)
	l := t.letters[id]
	switch {
	case l != nil:
		l.published = true
	case strings.HasSuffix(id, "+"):
		v.hopped = true
	default:
		r.fail(4, "%s %s was published and never lay in an outbox", ce.Type(), id)
	}
	if ce.Type() == events.TypeStatusCheck {
		return
	}
	var o events.Outcome
	r.failIf(4, ce.DataAs(&o))
	r.checkTold(t.tale(havip.Story{Origin: havip.Origin{ID: o.Story}}), id, o)
}
