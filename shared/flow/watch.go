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

// watch goes on looking at the story of an admission while its next look is due
// within the invocation, so that a quick change needs no follow-up. The check
// stays in the outbox meanwhile: should we die, the event comes again.
func (f Function) watch(ctx context.Context, a havip.Admission, until time.Time) error {
	if f.Watch == 0 || a.Duplicate || f.Keeper.Later {
		return nil
	}
	for {
		check, err := f.due(ctx, a)
		if err != nil || check == nil || check.At.After(until) || time.Until(check.At) > spare(ctx) {
			return err
		}
		if err := pause(ctx, check.At); err != nil {
			return nil //nolint:nilerr // the time is up, so the follow-up goes out
		}
		if err := f.Keeper.Look(ctx, *check); err != nil {
			return err
		}
	}
}

// due is the next look that waits in the record of an admission, if it is of its story.
func (f Function) due(ctx context.Context, a havip.Admission) (*havip.Check, error) {
	r, _, err := f.Ledger.Load(ctx, a.Ledger)
	if err != nil {
		return nil, err
	}
	for _, l := range r.Outbox {
		if l.Check != nil && l.Check.Story == a.Story {
			return l.Check, nil
		}
	}
	return nil, nil
}

// early holds back a check that came before its time: it waits as long as the
// invocation can, and sends the check on where that is not enough. It reports
// true when nothing is left to do now.
func (f Function) early(ctx context.Context, e events.Event) (bool, error) {
	d, ok := e.Data.(events.StatusCheck)
	if !ok || time.Until(d.NotBefore) <= 0 {
		return false, nil
	}
	enough := time.Until(d.NotBefore) <= spare(ctx)
	at := d.NotBefore
	if !enough {
		at = time.Now().Add(spare(ctx))
	}
	if err := pause(ctx, at); err != nil {
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

func pause(ctx context.Context, until time.Time) error {
	select {
	case <-time.After(time.Until(until)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
