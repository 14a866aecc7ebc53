package flow

import (
	"context"
	"strings"
	"time"

	"havip-functions/events"
	"havip-functions/shared/havip"
)

// lookTime is what a look needs of an invocation at the most.
const lookTime = 25 * time.Second

// maxHops is how often a check is sent on that came before its time. Then it
// looks all the same: a look too early does no harm, a bus that keeps no delay
// must not turn for ever.
const maxHops = 40

// hop marks the id of a check that was sent on, once for each time. Ours have no other.
const hop = "+"

// watch goes on looking at a story while its next look is due within the
// invocation, so that a quick change needs no follow-up. The check stays in the
// outbox meanwhile: should we die, the event comes again.
func (f Function) watch(ctx context.Context, left *havip.Left, until time.Time) error {
	if f.Watch == 0 || left.Duplicate || f.Keeper.Later {
		return nil
	}
	for {
		check := next(*left)
		if check == nil || check.At.After(until) || f.wait(check.At) > spare(ctx) {
			return nil
		}
		if err := pause(ctx, f.wait(check.At)); err != nil {
			return nil //nolint:nilerr // the time is up, so the follow-up goes out
		}
		var err error
		left.Due = check
		if *left, err = f.Keeper.Look(ctx, *left); err != nil {
			return err
		}
	}
}

// next is the next look that waits in a record, if it is of the story.
func next(left havip.Left) *havip.Check {
	for _, l := range left.Record.Outbox {
		if l.Check != nil && l.Check.Story == left.Story {
			return l.Check
		}
	}
	return nil
}

func (f Function) wait(until time.Time) time.Duration { return until.Sub(f.Keeper.Now()) }

// holdBack keeps a check that came before its time: it waits as long as the
// invocation can, and sends the check on where that is not enough. It reports
// true when nothing is left to do now.
func (f Function) holdBack(ctx context.Context, e events.Event) (bool, error) {
	d, ok := e.Data.(events.StatusCheck)
	if !ok || f.wait(d.NotBefore) <= 0 {
		return false, nil
	}
	patience := f.wait(d.NotBefore)
	enough := patience <= spare(ctx)
	if !enough {
		patience = spare(ctx)
	}
	if err := pause(ctx, patience); err != nil {
		return true, err
	}
	if enough || strings.Count(e.ID, hop) >= maxHops {
		return false, nil
	}
	e.ID += hop
	return true, f.send(ctx, e, d.NotBefore)
}

// spare is how long an invocation may wait and still take a look; half of its
// time where that is short.
func spare(ctx context.Context) time.Duration {
	deadline, limited := ctx.Deadline()
	if !limited {
		return time.Hour
	}
	left := time.Until(deadline)
	return max(left-lookTime, left/2)
}

func pause(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
