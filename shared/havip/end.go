package havip

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// How a look ends: with the next one, or with the story's outcome and the words
// that go with it.

// blind is a look that could not read the HAVIP.
func (l *look) blind(ctx context.Context) error {
	var refused *Error
	if errors.As(l.err, &refused) {
		l.story.blame(refused)
	} else {
		l.story.explain(oneLine(l.err.Error()), "")
	}
	switch {
	case errors.Is(l.err, ErrRefused):
		return l.end(ctx, Refused)
	case l.overdue():
		return l.timedOut(ctx)
	}
	l.why = l.story.reason()
	return l.again(ctx, unheard(l.passed()))
}

// done ends the story, or waits a little for somebody to announce the address, and for
// the address to answer the roster's probe.
func (l *look) done(ctx context.Context) error {
	s := l.story
	if s.SettledAt.IsZero() {
		s.SettledAt = l.now
	}
	until := s.SettledAt.Add(l.policy.ServingWithin)
	may := s.Acted && l.now.Before(until) && !l.overdue()
	if s.AnnouncedBy == ByHolder || !may {
		l.ask(ctx)
	}
	switch silent := s.AnnouncedBy != ByHolder; {
	case silent && may:
		l.why = "no holder announces the address yet"
		if s.AnnouncedBy == ByMute {
			l.why = "the address does not answer yet: " + s.ProbeReason
		}
		return l.again(ctx, min(l.pause(ctx), until.Sub(l.now)))
	case silent:
		rule, advice := l.have.unserved(l.policy, l.instance())
		s.explain("attached, but "+rule, advice)
	case !s.Acted && len(s.Barred) > 0 && len(stayingHolders(l.have, "")) < l.policy.Hold:
		return l.end(ctx, Refused) // nobody else could be attached: the last code says why
	default:
		s.Rule, s.Code, s.RequestID, s.Advice = "", "", "", ""
	}
	return l.end(ctx, l.good())
}

// instance is what the outcome names: who was attached last, if it still holds
// the HAVIP, else the holder that stays.
func (l *look) instance() string {
	if l.have.On(l.story.Instance) {
		return l.story.Instance
	}
	return l.want.Instance
}

func (l *look) good() Outcome {
	l.story.Instance = l.instance()
	if l.story.Acted {
		return Attached
	}
	return Unchanged
}

func (l *look) overdue() bool { return !l.now.Before(l.story.Deadline) }

// leftover tells that all that is left to do is to release a holder which the
// cloud guards because it serves.
func (l *look) leftover() bool {
	return !l.have.Moving() && l.have.On(l.want.Instance) && l.have.On(l.want.Release) &&
		l.have.Guarded(l.want.Release) && !l.want.Force
}

func (l *look) guarded() (rule, advice string) {
	return l.want.Release + " still serves, and the cloud detaches a serving holder only with Force",
		"stop keepalived on it, or run " + recoverCommand(l.policy.Name, "--release", l.want.Release, "--force")
}

func (l *look) timedOut(ctx context.Context) error {
	if l.story.Rule == "" {
		l.story.explain("not done before the deadline: the HAVIP is "+string(l.have.Status), "")
	}
	if l.story.Advice == "" {
		l.story.Advice = "run havip story " + l.story.ID + " for each look and call; the sweep tries again, or run " + recoverCommand(l.policy.Name, "--wait")
	}
	return l.end(ctx, TimedOut)
}

// refusal names the rule that leaves nothing to do, and what a person can do.
func (l *look) refusal() (rule, advice string) {
	name := l.policy.Name
	want := l.want
	switch {
	case want.Release != "" && want.Release == want.Instance:
		return "the instance to attach is the one to release", "name another --instance"
	case want.Instance == "" && want.Release != "":
		return want.Release + " is the only holder and serves; the cloud detaches a serving holder only with Force",
			"run " + recoverCommand(name, "--release", want.Release, "--force")
	case want.Instance == "":
		return l.nobody()
	case !l.have.On(want.Release):
		return fmt.Sprintf("%d of at most %d instances hold it, none of them to release", len(l.have.Holders), l.have.Limit),
			"run " + recoverCommand(name, "--instance", want.Instance, "--release", l.have.Holders[0])
	}
	return want.Release + " is the last healthy holder",
		"attach another first, or accept a gap with " + recoverCommand(name, "--instance", want.Instance, "--release", want.Release, "--allow-gap")
}

// nobody explains that no member may take over: what runs, but is marked as failed, a
// person may vouch for.
func (l *look) nobody() (rule, advice string) {
	for _, m := range l.policy.Members {
		if state := l.have.States[m.ID]; l.have.Failed[m.ID] && !state.Down() && !state.Rising() {
			return "no healthy holder, and every standby that runs is marked as failed",
				fmt.Sprintf("once %s is well, run havip send health.restored --cloud %s --region %s --instance %s",
					m.Instance, l.policy.Cloud, l.policy.Region, m.Instance)
		}
	}
	return "no healthy holder, and no standby that runs", "start a member, or add one to the roster"
}

// recoverCommand is what a person may run as it stands.
func recoverCommand(name string, flags ...string) string {
	return strings.Join(append([]string{"havip recover", name}, append(flags, `--reason "…"`)...), " ")
}

// again leaves the next look, at the deadline at the latest, and saves.
func (l *look) again(ctx context.Context, wait time.Duration) error {
	l.saw()
	l.story.Attempt++
	at := l.now.Add(wait)
	if at.After(l.story.Deadline) {
		at = l.story.Deadline
	}
	l.record.next(at)
	return l.save(ctx)
}

// saw keeps what this look read, and why it waits.
func (l *look) saw() {
	if l.at.IsZero() { // it read nothing: its HAVIP has left the roster
		return
	}
	g := Glance{At: l.at, Attempt: l.story.Attempt, Status: l.have.Status, Holders: l.have.Holders, Want: l.want, Why: l.why}
	if l.err == nil {
		g.Announcement = l.have.announcement()
	}
	l.story.saw(g)
}

// end leaves the outcome and saves. What it calls served has been asked.
func (l *look) end(ctx context.Context, outcome Outcome) error {
	if read := l.err == nil && !l.at.IsZero(); read && l.have.AnnouncedBy() == ByHolder && l.have.Witness.Probe == "" {
		l.ask(ctx)
	}
	if s := l.story; outcome == Refused && !s.Acted && len(s.Steps) > 0 && l.record.Pending == nil {
		if err := l.keeper.giveBack(ctx, l.policy, s.ID); err != nil {
			return err
		}
	}
	l.saw()
	// What a person asked for amiss, or froze, says nothing of what a sweep may do.
	amiss := outcome == Refused && l.story.Ask.Kind == AskRecover
	l.record.Settled = ""
	if outcome != TimedOut && !amiss && !l.record.Frozen.holds(l.now) {
		l.record.Settled = settled(l.policy, l.have)
	}
	if l.story.Joined { // another takes its place
		if err := l.keeper.shelve(ctx, &l.record); err != nil {
			return err
		}
	}
	l.record.close(outcome, l.keeper.Now())
	return l.save(ctx)
}

// save writes the record where it is as it was read. What a look found is not lost
// to whoever only emptied the outbox or joined the story meanwhile.
func (l *look) save(ctx context.Context) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := l.write(ctx)
		if !errors.Is(err, ErrConflict) {
			return err
		}
		if err := rest(ctx, pause); err != nil {
			return err
		}
		if err := l.rebase(ctx, err); err != nil {
			return err
		}
	}
}

// write is one compare-and-set of the record.
func (l *look) write(ctx context.Context) error {
	rev, err := Save(ctx, l.keeper.Ledger, l.key, l.record, l.rev)
	if err == nil {
		l.rev = rev
	}
	return err
}

// remember keeps the record as it is now, to know later what others changed.
func (l *look) remember() {
	before := l.record
	if l.record.Story != nil {
		story := *l.record.Story
		before.Story = &story
	}
	if l.record.Pending != nil {
		pending := *l.record.Pending
		before.Pending = &pending
	}
	before.Outbox = slices.Clone(l.record.Outbox)
	l.before = &before
}

// rebase puts what the look found onto the record as it is now, if nothing
// changed that it decided by; otherwise the conflict stands.
func (l *look) rebase(ctx context.Context, conflict error) error {
	now, rev, err := Load[Record](ctx, l.keeper.Ledger, l.key)
	if err != nil {
		return err
	}
	if l.before == nil || !l.before.same(now, l.leased) {
		return conflict
	}
	was := l.before.Outbox
	found := slices.DeleteFunc(slices.Clone(l.record.Outbox), func(n Message) bool { return contains(was, n.ID) })
	now.dropChecks()
	l.record.Outbox = append(now.Outbox, found...)
	l.record.Seen, l.record.Marks, l.record.Frozen = now.Seen, now.Marks, now.Frozen
	l.record.Drift, l.record.Outage, l.record.Watched = now.Drift, now.Outage, now.Watched
	if l.err == nil { // else nobody has read who announces the address
		l.record.announced(l.have, l.now)
	}
	if now.Served.After(l.record.Served) {
		l.record.Served = now.Served
	}
	if c := l.record.Closed; c == nil || c.ID != l.story.ID { // else the look itself has closed it
		l.record.Closed = now.Closed
	}
	l.record.Silenced = max(l.record.Silenced, now.Silenced)
	l.rev = rev
	return nil
}

// same tells that nobody took a look since the record was read, nor joined the
// story in a way that its end depends on. Before a call what is known of the
// members counts too; the answer of one is kept whatever became of them.
func (r *Record) same(now Record, leased bool) bool {
	p, q, s := r.Pending, now.Pending, now.Story
	pending := p == nil && q == nil || p != nil && q != nil && q.Token == p.Token && q.SentAt.Equal(p.SentAt)
	marks := leased || maps.Equal(r.failures(), now.failures()) && frozenAlike(r.Frozen, now.Frozen)
	return s.Open() && s.ID == r.Story.ID && s.Attempt == r.Story.Attempt && s.Joined == r.Story.Joined && pending && marks
}

// failures are the marks by their word alone.
func (r *Record) failures() map[string]bool {
	failed := map[string]bool{}
	for id, m := range r.Marks {
		failed[id] = m.Failed
	}
	return failed
}

func frozenAlike(a, b *Freeze) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Until.Equal(b.Until)
}

func contains(messages []Message, id string) bool {
	return slices.ContainsFunc(messages, func(l Message) bool { return l.ID == id })
}
