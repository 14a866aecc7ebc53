package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"havip-functions/events"
	"havip-functions/shared/havip"
)

// flush publishes what an admission or a look left behind, and then removes
// exactly that. A crash in between publishes it again, under the same id. What
// can't be published stays, and holds nothing else back: an outcome that nobody
// takes must not keep a HAVIP from its next look.
func (f Function) flush(ctx context.Context, left havip.Left) error {
	if len(left.Record.Outbox) == 0 {
		return nil
	}
	leave, err := f.Desk.enter(ctx, left.Ledger)
	if err != nil {
		return fmt.Errorf("publish what lies under %s: %w", left.Ledger, err)
	}
	defer leave()
	return f.empty(ctx, left)
}

// outcomeTime is what the outcomes of an outbox may take of an invocation, at most
// half of what is left of it: whoever takes them may hang, and the next look may not.
const outcomeTime = 5 * time.Second

// empty is flush for who has the turn: the next look first.
func (f Function) empty(ctx context.Context, left havip.Left) error {
	checks, outcomes := sorted(left.Record.Outbox)
	out, failed := f.publishAll(ctx, left, checks)
	out = f.done(out, checks)
	brief, cancel := context.WithTimeout(ctx, briefly(ctx, outcomeTime))
	defer cancel()
	told, untold := f.publishAll(brief, left, outcomes)
	return errors.Join(failed, untold, f.remove(ctx, left, append(out, told...)))
}

// soon is within what time a look is due that takes its own check out of the outbox, in
// the write that it makes anyway: where our own bus is, which sends nothing twice.
const soon = time.Second

// done are those of the messages that are to leave the outbox now.
func (f Function) done(published []string, checks []havip.Message) []string {
	return slices.DeleteFunc(published, func(id string) bool {
		i := slices.IndexFunc(checks, func(l havip.Message) bool { return l.ID == id })
		return f.Keeper.Later && f.wait(checks[i].Check.At) < soon
	})
}

// briefly is so much time, and half of what the context has left at most.
func briefly(ctx context.Context, most time.Duration) time.Duration {
	if deadline, limited := ctx.Deadline(); limited {
		return min(most, time.Until(deadline)/2)
	}
	return most
}

func sorted(outbox []havip.Message) (checks, outcomes []havip.Message) {
	for _, l := range outbox {
		if l.Check != nil {
			checks = append(checks, l)
		} else {
			outcomes = append(outcomes, l)
		}
	}
	return checks, outcomes
}

// publishAll returns what may be removed. After one that ran out of time the others
// are not tried.
func (f Function) publishAll(ctx context.Context, left havip.Left, messages []havip.Message) (out []string, err error) {
	var failed []error
	for _, l := range messages {
		published, removed := f.Desk.published(l.ID)
		if removed {
			continue
		}
		if !published {
			if err := f.publish(ctx, left, l); err != nil {
				failed = append(failed, fmt.Errorf("publish %s: %w", l.ID, err))
				if ctx.Err() != nil {
					break
				}
				continue
			}
			f.Desk.note(l.ID, false)
		}
		out = append(out, l.ID)
	}
	return out, errors.Join(failed...)
}

// Resume publishes what a host that stopped had left in the outboxes.
func (f Function) Resume(ctx context.Context) error {
	var failed []error
	for _, p := range f.Keeper.Roster.Policies() {
		r, rev, err := havip.Load[havip.Record](ctx, f.Ledger, p.Key().String())
		failed = append(failed, err, f.flush(ctx, havip.Left{HAVIP: p.Key(), Ledger: p.Key().String(), Record: r, Rev: rev}))
	}
	return errors.Join(failed...)
}

func (f Function) remove(ctx context.Context, left havip.Left, published []string) error {
	if len(published) == 0 {
		return nil
	}
	if err := f.Keeper.TakeOut(ctx, left, published); err != nil {
		return err
	}
	for _, id := range published {
		f.Desk.note(id, true)
	}
	return nil
}

func (f Function) publish(ctx context.Context, left havip.Left, l havip.Message) error {
	if l.Check == nil {
		return f.tell(ctx, left, l)
	}
	err := f.followUp(ctx, l.ID, *l.Check, left.Record)
	if errors.Is(err, ErrUnsendable) {
		return f.abandon(ctx, *l.Check, err)
	}
	return err
}

// abandon ends a story whose next look can't be asked for: somebody has to hear
// of it, and nothing may wait for it.
func (f Function) abandon(ctx context.Context, c havip.Check, cause error) error {
	f.Log.Error("a follow-up can't be sent, its story ends", "story", c.Story, "error", cause)
	left, err := f.Keeper.Abandon(ctx, c, "the next look can't be asked for: "+cause.Error())
	if err != nil {
		return err
	}
	return f.empty(ctx, left)
}

// followUp asks the bus for the next look. It carries the story, for a host
// without a ledger, or one that is lost.
func (f Function) followUp(ctx context.Context, id string, c havip.Check, r havip.Record) error {
	carried, err := r.Carry()
	if err != nil {
		return err
	}
	e := events.New(id, f.Keeper.Now(), events.StatusCheck{
		Cloud: c.HAVIP.Cloud, Region: c.HAVIP.Region, HAVIP: c.HAVIP.ID,
		Story: c.Story, Attempt: c.Attempt, NotBefore: c.At, Carried: carried, Seal: f.Seal.Of(subject(c), carried),
	})
	follows(&e, *r.Story)
	return f.send(ctx, e, c.At)
}

// tell archives a story that ended and publishes its outcome. That of a stray is
// kept where the event is.
func (f Function) tell(ctx context.Context, left havip.Left, l havip.Message) error {
	s, here := left.Record.Ended(l)
	var err error
	switch {
	case !here: // it was archived to make room
		s, err = f.Ledger.Story(ctx, l.Ended)
	case !havip.IsStrayKey(left.Ledger):
		err = f.Ledger.Archive(ctx, s)
	}
	if err != nil {
		return err
	}
	e := events.New(l.ID, s.EndedAt, Outcome(s))
	follows(&e, s)
	if err := f.send(ctx, e, time.Time{}); err != nil {
		return err
	}
	level := slog.LevelInfo
	if s.Outcome == havip.Ignored && havip.IsStrayKey(left.Ledger) { // a cloud's bus has one for each instance
		level = slog.LevelDebug
	} else if f.Ended != nil {
		f.Ended(s)
	}
	f.Log.Log(ctx, level, string(s.Outcome), "havip", s.HAVIP.ID, "name", s.Name, "story", s.ID, "event", s.Event.ID,
		"type", s.Event.Type, "instance", s.Instance, "holders", s.Holders, "serving", s.Serving, "announcedBy", s.AnnouncedBy, "announcer", s.Announcer,
		"attempts", s.Attempt, "calls", s.Calls, "seconds", s.EndedAt.Sub(s.StartedAt).Seconds(), "rule", s.Rule, "code", s.Code, "requestId", s.RequestID,
		"advice", s.Advice, "probe", s.Probe, "probeReason", s.ProbeReason, "roster", s.Roster)
	return nil
}

// follows marks an event as one that a story caused.
func follows(e *events.Event, s havip.Story) {
	e.Causation, e.TraceParent, e.TraceState = s.Event.ID, s.Trace.Parent, s.Trace.State
}

func (f Function) send(ctx context.Context, e events.Event, at time.Time) error {
	ce, err := e.CloudEvent()
	if err != nil {
		return err
	}
	return f.Bus.Publish(ctx, ce, at.Sub(f.Keeper.Now()))
}

// Outcome is how a story ended, as an event's data.
func Outcome(s havip.Story) events.Outcome {
	return events.Outcome{
		Cloud: s.HAVIP.Cloud, Region: s.HAVIP.Region, HAVIP: s.HAVIP.ID, Name: s.Name,
		Story: s.ID, Outcome: string(s.Outcome), Holders: s.Holders, Serving: s.Serving,
		Instance: s.Instance, Released: !s.Unreleased, Attempts: s.Attempt, Calls: s.Calls,
		StartedAt: s.StartedAt, EndedAt: s.EndedAt, CloudMs: s.CloudMs,
		Rule: s.Rule, Code: s.Code, RequestID: s.RequestID, Advice: s.Advice,
		Actor: s.Ask.Actor, Roster: s.Roster, AnnouncedBy: string(s.AnnouncedBy), Announcer: s.Announcer,
		Probe: s.Probe, ProbeReason: s.ProbeReason,
	}
}
