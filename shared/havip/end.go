package havip

import (
	"context"
	"errors"
	"fmt"
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
	moves := s.Acted || s.Ask.Kind == AskFailed // or VRRP does, by itself
	may := moves && l.now.Before(until) && !l.overdue()
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
			advice = fmt.Sprintf("once %s is well, run havip send health.restored --cloud %s --region %s --instance %s",
				m.Instance, l.policy.Cloud, l.policy.Region, m.Instance)
			if l.stateless != nil {
				return "no healthy holder, and every standby is marked as failed; which of them run can't be read: " + oneLine(l.stateless.Error()), advice
			}
			return "no healthy holder, and every standby that runs is marked as failed", advice
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
	g := Glance{At: l.at, Attempt: l.story.Attempt, Status: l.have.Status, Holders: l.have.Holders, Want: l.want, Why: l.why, Ms: l.took.Milliseconds(), Invocation: l.keeper.Invocation}
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
	futile := outcome == Refused && !l.story.Acted && len(l.story.Steps) > 0 && l.record.Pending == nil
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
	if err := l.save(ctx); err != nil || !futile {
		return err
	}
	return l.keeper.giveBack(ctx, l.policy, l.story.ID) // not before: another may have taken the story on
}
