package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"havip-functions/events"
	"havip-functions/shared/havip"
)

// flush publishes what lies in a record's outbox and then removes exactly that.
// A crash in between publishes it again, under the same id. What can't be
// published stays, and holds nothing else back: an outcome that nobody takes
// must not keep a HAVIP from its next look.
func (f Function) flush(ctx context.Context, key string) error {
	r, _, err := f.Ledger.Load(ctx, key)
	if err != nil {
		return fmt.Errorf("ledger: read %s: %w", key, err)
	}
	if len(r.Outbox) == 0 {
		return nil
	}
	var published []string
	var failed []error
	for _, l := range r.Outbox {
		if err := f.publish(ctx, r, l); err != nil {
			failed = append(failed, fmt.Errorf("publish %s: %w", l.ID, err))
			continue
		}
		published = append(published, l.ID)
	}
	if len(published) > 0 {
		failed = append(failed, f.remove(ctx, key, published))
	}
	return errors.Join(failed...)
}

// Resume publishes what a host that stopped had left in the outboxes.
func (f Function) Resume(ctx context.Context) error {
	var failed []error
	for _, p := range f.Keeper.Roster.Policies() {
		failed = append(failed, f.flush(ctx, p.Key().String()))
	}
	return errors.Join(failed...)
}

func (f Function) remove(ctx context.Context, key string, published []string) error {
	for {
		r, rev, err := f.Ledger.Load(ctx, key)
		if err != nil {
			return fmt.Errorf("ledger: read %s: %w", key, err)
		}
		r.Outbox = slices.DeleteFunc(r.Outbox, func(l havip.Letter) bool { return slices.Contains(published, l.ID) })
		if _, err = f.Ledger.Save(ctx, key, r, rev); !errors.Is(err, havip.ErrConflict) {
			return err
		}
	}
}

func (f Function) publish(ctx context.Context, r havip.Record, l havip.Letter) error {
	if l.Ended != nil {
		return f.tell(ctx, l.ID, *l.Ended)
	}
	return f.followUp(ctx, l.ID, *l.Check, r)
}

// followUp asks the bus for the next look. It carries the story, for a host
// without a ledger, or one that is lost.
func (f Function) followUp(ctx context.Context, id string, c havip.Check, r havip.Record) error {
	carried, err := events.Encode(r.Carry())
	if err != nil {
		return err
	}
	e := events.New(id, time.Now().UTC(), events.StatusCheck{
		Cloud: c.HAVIP.Cloud, Region: c.HAVIP.Region, HAVIP: c.HAVIP.ID,
		Story: c.Story, Attempt: c.Attempt, NotBefore: c.At, Carried: carried,
	})
	follows(&e, *r.Story)
	return f.send(ctx, e, c.At)
}

// tell archives a story that ended and publishes its outcome.
func (f Function) tell(ctx context.Context, id string, s havip.Story) error {
	if err := f.Ledger.Archive(ctx, s); err != nil {
		return err
	}
	e := events.New(id, s.EndedAt, Outcome(s))
	follows(&e, s)
	if err := f.send(ctx, e, time.Time{}); err != nil {
		return err
	}
	f.Log.Info(string(s.Outcome), "havip", s.HAVIP.ID, "name", s.Name, "story", s.ID, "event", s.Event.ID,
		"type", s.Event.Type, "instance", s.Instance, "holders", s.Holders, "serving", s.Serving,
		"attempts", s.Attempt, "calls", s.Calls, "rule", s.Rule, "code", s.Code, "requestId", s.RequestID,
		"advice", s.Advice, "roster", s.Roster)
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
	return f.Bus.Publish(ctx, ce, at)
}

// Outcome is how a story ended, as an event's data.
func Outcome(s havip.Story) events.Outcome {
	return events.Outcome{
		Cloud: s.HAVIP.Cloud, Region: s.HAVIP.Region, HAVIP: s.HAVIP.ID, Name: s.Name,
		Story: s.ID, Outcome: string(s.Outcome), Holders: s.Holders, Serving: s.Serving,
		Instance: s.Instance, Released: !s.Unreleased, Attempts: s.Attempt, Calls: s.Calls,
		StartedAt: s.StartedAt, EndedAt: s.EndedAt, CloudMs: s.CloudMs,
		Rule: s.Rule, Code: s.Code, RequestID: s.RequestID, Advice: s.Advice,
		Actor: s.Ask.Actor, Roster: s.Roster,
	}
}
