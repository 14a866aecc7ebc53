package havip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// Keeper keeps the HAVIPs of a roster on healthy instances.
type Keeper struct {
	Ledger Ledger
	Roster Roster
	Clouds Clouds

	// Settle is the time after which a call whose effect has not shown counts
	// as not done: the call's time-out plus what the cloud may take to show it.
	// 0 means 25 s.
	Settle time.Duration

	// CallTimeout bounds one call to a cloud, below Settle. 0 means 10 s.
	CallTimeout time.Duration

	// Queues, Clock and Timings are shared by all that this process does; nil does
	// without.
	Queues  *Queues
	Clock   *Clock
	Timings *Timings

	// Probe asks the address that a story ends on, where the roster wants it and we are
	// in its VPC; nil is outside.
	Probe Prober

	// Invocation names the call of a function that this Keeper is for, in what its looks
	// leave behind; "" where no cloud calls.
	Invocation string

	// Later leaves the first look to the follow-up, for a host whose bus
	// delivers at once and whose sender waits for an answer.
	Later bool
}

// Clouds opens the account of a HAVIP; session names the story in its logs.
type Clouds func(ctx context.Context, p Policy, session string) (Cloud, Fleet, error)

func (k Keeper) settle() time.Duration { return cmp.Or(k.Settle, 25*time.Second) }

func (k Keeper) callTimeout() time.Duration { return cmp.Or(k.CallTimeout, 10*time.Second) }

// Now is the time that the Keeper goes by.
func (k Keeper) Now() time.Time { return k.Clock.Now() }

// errRosterChanged means that the roster is another than when a look began.
var errRosterChanged = errors.New("the roster changed")

// Look takes the look that is due, if any: it reads the HAVIP of a story, takes at
// most one step, and leaves the next look or the outcome in the ledger's outbox. One
// of another attempt or of a story that ended changes nothing. After an error what was
// left before still is.
func (k Keeper) Look(ctx context.Context, left Left) (Left, error) {
	if left.Due == nil {
		return left, nil
	}
	c := *left.Due
	left.Due = nil
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		l, err := k.open(ctx, c)
		if err == nil && l.story != nil {
			err = l.decide(ctx)
		}
		if err == nil && l.leased {
			err = l.call(ctx)
		}
		if !errors.Is(err, ErrConflict) && !errors.Is(err, errRosterChanged) {
			if err == nil { // else it is not what the ledger has
				for _, n := range l.lessons {
					k.learn(ctx, l.policy, n)
				}
				left.Ledger, left.Record, left.Rev = l.key, l.record, l.wrote
			}
			return left, err
		}
		if err := rest(ctx, pause); err != nil { // what was lost to another is read anew
			return left, err
		}
	}
}

// open reads the record, then the HAVIP, in this order: what was done after the
// record was read makes our next compare-and-set fail. The look has no story
// where there is nothing to look at.
func (k Keeper) open(ctx context.Context, c Check) (l look, err error) {
	l.keeper, l.key = k, c.HAVIP.String()
	l.record, l.rev, err = Load[Record](ctx, k.Ledger, c.HAVIP.String())
	if err != nil {
		return l, err
	}
	policy, found := k.policy(c.HAVIP)
	if l.record.Story == nil {
		carried, err := c.carried()
		if err != nil {
			return l, err
		}
		if carried.Story != nil && (l.rev == 0 || carried.Ours) {
			known := l.record
			if l.record, err = k.adopt(ctx, c, carried, policy, found); err != nil {
				return l, err
			}
			if l.rev != 0 {
				l.record.keep(known)
			}
		}
	}
	r := l.record
	if r.Story.Open() && r.Story.ID == c.Story && r.Story.Attempt < c.Attempt { // a replica's, perhaps
		return l, fmt.Errorf("ledger: %s was read at attempt %d, before its own follow-up %d", c.HAVIP, r.Story.Attempt, c.Attempt)
	}
	if !r.Story.Open() || r.Story.ID != c.Story || r.Story.Attempt != c.Attempt {
		err = l.supersede(ctx, c)
		return l, err
	}
	l.story = r.Story
	if !found {
		l.story.explain(c.HAVIP.ID+" is no longer on the roster", "add it to roster.yaml")
		err = l.end(ctx, Refused)
		l.story = nil
		return l, err
	}
	l.remember()
	l.policy, l.story.Roster = policy, policy.Roster
	err = l.read(ctx)
	return l, err
}

// Abandon ends an open story whose next look can't come.
func (k Keeper) Abandon(ctx context.Context, c Check, rule string) (Left, error) {
	left := Left{HAVIP: c.HAVIP, Ledger: c.HAVIP.String(), Story: c.Story}
	var err error
	left.Record, err = k.Change(ctx, left.Ledger, func(r *Record) (bool, error) {
		if !r.Story.Open() || r.Story.ID != c.Story {
			return false, nil
		}
		if err := k.shelve(ctx, r); err != nil {
			return false, err
		}
		r.Story.explain(rule, "see havip status "+c.HAVIP.ID+", then run "+recoverCommand(c.HAVIP.ID))
		r.close(Refused, k.Now())
		return true, nil
	})
	return left, err
}

func (k Keeper) policy(key Key) (Policy, bool) { return k.Roster.Index().Policy(key) }

// supersede ends the story of a follow-up that the record has never heard of:
// the ledger was lost, and another story was adopted first. Only what we wrote
// ourselves may say so, and only where the record is the newest: the leader of a
// cluster that was cut off may tell an old one until it knows.
func (l *look) supersede(ctx context.Context, c Check) error {
	if l.record.Story == nil || l.record.Story.ID == c.Story || l.record.Closed != nil && l.record.Closed.ID == c.Story {
		return nil
	}
	carried, err := c.carried()
	if err != nil || !carried.Ours || carried.Story == nil {
		return nil //nolint:nilerr // the ledger has a story, and nothing to learn here
	}
	lost, now := *carried.Story, l.keeper.Now()
	event := Event{EventRef: lost.Event, Arrived: lost.StartedAt}
	if own, known, err := l.keeper.seen(ctx, l.record, event, storyOf(c.HAVIP, event.Key())); err != nil || known || own.Story != nil {
		return err
	}
	if err := l.write(ctx); err != nil { // a record that is only old: it is read anew
		return err
	}
	lost.explain("superseded by "+l.record.Story.Event.Type+" "+l.record.Story.Event.ID, "")
	lost.Outcome, lost.EndedAt = Superseded, now
	left, err := l.keeper.note(ctx, EventKey(lost.ID), event, lost)
	if err == nil {
		l.record, l.wrote, l.key = left.Record, left.Rev, left.Ledger
	}
	return err
}
