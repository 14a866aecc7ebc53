package havip

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	return l.again(ctx, l.backoff())
}

// done ends the story, or waits a little for somebody to announce the address.
func (l *look) done(ctx context.Context) error {
	s := l.story
	if s.SettledAt.IsZero() {
		s.SettledAt = l.now
	}
	silent := l.have.Serving == ""
	until := s.SettledAt.Add(l.policy.ServingWithin)
	switch {
	case silent && s.Acted && l.now.Before(until) && !l.overdue():
		return l.again(ctx, min(l.backoff(), until.Sub(l.now)))
	case silent:
		s.explain("attached, but no holder announces the address",
			"check keepalived on "+l.instance()+" and that the address is configured on its interface")
	case !s.Acted && len(s.Barred) > 0 && len(healthyHolders(l.have, "")) < l.policy.Hold:
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
		fmt.Sprintf("stop keepalived on it, or run havip recover %s --release %s --force", l.policy.Name, l.want.Release)
}

func (l *look) timedOut(ctx context.Context) error {
	if l.story.Rule == "" {
		l.story.explain("not done before the deadline: the HAVIP is "+string(l.have.Status), "")
	}
	if l.story.Advice == "" {
		l.story.Advice = "see havip status " + l.policy.Name + "; the sweep tries again, or run havip recover"
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
			fmt.Sprintf("run havip recover %s --release %s --force", name, want.Release)
	case want.Instance == "":
		return "no healthy holder, and no standby that runs",
			fmt.Sprintf("start a member or run havip recover %s --instance ID", name)
	case !l.have.On(want.Release):
		return fmt.Sprintf("%d of at most %d instances hold it, none of them to release", len(l.have.Holders), l.have.Limit),
			fmt.Sprintf("run havip recover %s --instance %s --release ID", name, want.Instance)
	}
	return want.Release + " is the last healthy holder",
		"attach another first, or accept a gap with --allow-gap"
}

// backoff is the time to the next look: quick at first, since a cloud usually
// needs seconds, and anew after each effect.
func (l *look) backoff() time.Duration {
	const first, most = 300 * time.Millisecond, 10 * time.Second
	wait := first
	for range min(l.story.Quiet, 20) {
		wait += wait / 2
	}
	return min(wait, most)
}

// again leaves the next look, at the deadline at the latest, and saves.
func (l *look) again(ctx context.Context, wait time.Duration) error {
	l.story.Attempt++
	l.story.Quiet++
	at := l.now.Add(wait)
	if at.After(l.story.Deadline) {
		at = l.story.Deadline
	}
	l.record.next(at)
	return l.save(ctx)
}

// end leaves the outcome and saves.
func (l *look) end(ctx context.Context, outcome Outcome) error {
	// What a person asked for amiss, or froze, says nothing of what a sweep may do.
	amiss := outcome == Refused && l.story.Ask.Kind == AskRecover
	l.record.Settled = ""
	if outcome != TimedOut && !amiss && !l.record.Frozen.holds(l.now) {
		l.record.Settled = settled(l.policy, l.have)
	}
	l.record.end(outcome, time.Now().UTC())
	return l.save(ctx)
}

// save writes the record where it is as it was read. The answer of a call is not
// lost to whoever only emptied the outbox or joined the story meanwhile.
func (l *look) save(ctx context.Context) error {
	for {
		rev, err := l.keeper.Ledger.Save(ctx, l.story.HAVIP.String(), l.record, l.rev)
		if err == nil {
			l.rev = rev
			return nil
		}
		if errors.Is(err, ErrConflict) && l.leased != nil {
			err = l.rebase(ctx, err)
		}
		if err != nil {
			return fmt.Errorf("ledger: write %s: %w", l.story.HAVIP, err)
		}
	}
}

// rebase puts what the look found onto the record as it is now, if the lease is
// still ours; otherwise the conflict stands.
func (l *look) rebase(ctx context.Context, conflict error) error {
	now, rev, err := l.keeper.Ledger.Load(ctx, l.story.HAVIP.String())
	if err != nil {
		return err
	}
	if !l.leased.holds(now) {
		return conflict
	}
	was := l.leased.Outbox
	found := slices.DeleteFunc(slices.Clone(l.record.Outbox), func(n Letter) bool { return contains(was, n.ID) })
	now.dropChecks()
	l.record.Outbox = append(now.Outbox, found...)
	l.record.Seen, l.record.Marks, l.record.Frozen, l.record.Drift = now.Seen, now.Marks, now.Frozen, now.Drift
	l.rev = rev
	return nil
}

// holds tells that nobody took a look since the record was leased, nor joined
// the story in a way that its end depends on.
func (leased *Record) holds(now Record) bool {
	p, q, s := leased.Pending, now.Pending, now.Story
	return s.Open() && s.ID == leased.Story.ID && s.Attempt == leased.Story.Attempt && s.Joined == leased.Story.Joined &&
		q != nil && q.Token == p.Token && q.SentAt.Equal(p.SentAt)
}

func contains(letters []Letter, id string) bool {
	return slices.ContainsFunc(letters, func(l Letter) bool { return l.ID == id })
}
