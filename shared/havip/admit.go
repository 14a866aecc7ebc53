package havip

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Event is what the protocol needs to know of a CloudEvent.
type Event struct {
	EventRef
	Time    time.Time // when it happened, by its sender
	Arrived time.Time
	Expiry  time.Time // zero: never
	Trace   Trace

	Cloud  string
	Region string
	HAVIP  string // an id or a name of the roster; "" for every HAVIP of the instance
	Ask    Ask
	DryRun bool
	Plan   string // what a dry run found

	OfEveryInstance bool // its sender tells of all that the account has
}

// Key names the event among all events: source and id, as CloudEvents asks.
func (e Event) Key() string { return hash(e.Source, e.ID) }

// when is the event's time, clamped so that a wrong clock can't fool us for long.
func (e Event) when() time.Time {
	earliest, latest := e.Arrived.Add(-24*time.Hour), e.Arrived.Add(5*time.Second)
	switch {
	case e.Time.IsZero():
		return e.Arrived
	case e.Time.Before(earliest):
		return earliest
	case e.Time.After(latest):
		return latest
	}
	return e.Time
}

// Left is what an admission or a look left behind: a look that is due, and in the
// ledger a record whose outbox is to be published before anything is acknowledged.
type Left struct {
	HAVIP     Key
	Ledger    string   // the key of the record
	Record    Record   // as it is there
	Rev       Revision // at which; 0 where it is not known
	Story     string
	Due       *Check // the look that is due now, before anything is published; nil for none
	Duplicate bool
	Note      string // what a person should hear of
}

// due makes the first look of a story due, unless it is left to its follow-up.
func (k Keeper) due(left *Left) {
	if !k.Later {
		left.Due = &Check{HAVIP: left.HAVIP, Story: left.Story, Attempt: 1}
	}
}

// Admit puts the event into the ledger: a story for each HAVIP that it concerns.
// What it returns is durable. It makes no call to a cloud.
func (k Keeper) Admit(ctx context.Context, e Event) ([]Left, error) {
	concerned := k.concerned(e)
	if len(concerned) == 0 {
		rule, advice := k.offRoster(e)
		if e.OfEveryInstance {
			return k.Note(ctx, e, Ending{Outcome: Ignored, Rule: rule})
		}
		return k.Note(ctx, e, Ending{Outcome: Refused, Rule: rule, Advice: advice})
	}
	var admitted []Left
	for _, p := range concerned {
		left, err := k.admit(ctx, p, e)
		if err != nil {
			return admitted, err
		}
		admitted = append(admitted, left)
	}
	return admitted, nil
}

// concerned returns the HAVIPs that the event names, else those of its instance.
func (k Keeper) concerned(e Event) []Policy {
	roster := k.Roster.Index()
	found := roster.Of(e.Ask.Instance)
	if e.HAVIP != "" {
		found = roster.Named(e.HAVIP)
	}
	return slices.DeleteFunc(found, func(p Policy) bool {
		return e.Cloud != "" && p.Cloud != e.Cloud || e.Region != "" && p.Region != e.Region
	})
}

// admit notes the event in the HAVIP's record. Of one that ends at once the record has
// no more than the outcome, so that no other delivery of it comes to another, however
// late its write arrives; the rest is noted apart.
func (k Keeper) admit(ctx context.Context, p Policy, e Event) (Left, error) {
	fresh := Left{HAVIP: p.Key(), Ledger: p.Key().String()}
	var left Left
	var own Record   // the event's, where it was known before
	var known bool   // it was
	var failed error // nobody knows whether
	var atOnce Story // how it ended, where it did
	read := func(r Record) { own, known, failed = k.seen(ctx, r, e, storyOf(p.Key(), e.Key())) }
	c := &change{read: read, do: func(r *Record) (bool, error) {
		left, atOnce = fresh, Story{}
		if r.crowded() {
			return false, errCrowded
		}
		if now, here := r.knows(e); here { // by another delivery, in this very write perhaps
			own, known = now, true
		}
		left.Duplicate = known
		if failed != nil || known {
			before := own.Seen[e.Key()]
			left.Story = before.Story
			if before.Outcome != "" && own.Story == nil { // it may not have been noted
				atOnce = ended(p, e, before)
			}
			return false, failed
		}
		s, changed := r.judge(p, e)
		if !s.Open() {
			atOnce = s
			return !e.DryRun && r.rememberEnd(e, s), nil
		}
		if !r.joins(s.Ask.Kind, changed) { // else no story leaves the record
			if err := k.shelve(ctx, r); err != nil {
				return false, err
			}
		}
		var opened bool
		if left.Story, opened = r.take(s, e, changed); opened {
			k.due(&left)
		}
		return true, nil
	}}
	err := k.change(ctx, fresh.Ledger, c)
	switch {
	case err != nil:
		return left, err
	case atOnce.ID != "":
		e.Arrived = atOnce.EndedAt // when it came first
		return k.note(ctx, EventKey(atOnce.ID), e, atOnce)
	case own.Story != nil: // it had ended at once, and may not have been told
		left.Ledger, left.Record = EventKey(own.Story.ID), own
		return left, nil
	}
	left.Record, left.Rev = c.record, c.rev
	return left, nil
}

// Note remembers an event that concerns no HAVIP of the roster, with its outcome
// and the reason.
func (k Keeper) Note(ctx context.Context, e Event, why Ending) ([]Left, error) {
	s := begin(Policy{Cloud: e.Cloud, Region: e.Region, ID: e.HAVIP}, e)
	s.ID = storyAt(strayPrefix+s.HAVIP.String(), e.Key()) // its HAVIP may have had a story of it before it left the roster
	s.Outcome, s.EndedAt = why.Outcome, e.Arrived
	s.explain(why.Rule, why.Advice)
	left, err := k.note(ctx, StrayKey(s.ID), e, s)
	return []Left{left}, err
}

// note writes down an event that ended at once, under a key of its own.
func (k Keeper) note(ctx context.Context, key string, e Event, ended Story) (Left, error) {
	left := Left{HAVIP: ended.HAVIP, Ledger: key, Story: ended.ID}
	write := func(r *Record) (bool, error) {
		var known Seen
		known, left.Duplicate = r.Seen[e.Key()]
		if left.Duplicate = left.Duplicate && (known.Outcome == "" || r.Story != nil); left.Duplicate {
			left.Story = known.Story
			return false, nil
		}
		r.remember(e, ended.ID)
		r.Story = &ended
		r.tell(ended)
		return true, nil
	}
	var first Record // as nearly each is: not asked for before
	_, _ = write(&first)
	rev, err := Save(ctx, k.Ledger, key, first, 0)
	switch {
	case err == nil:
		left.Record, left.Rev = first, rev
	case errors.Is(err, ErrConflict):
		left.Record, err = k.Change(ctx, key, write)
	}
	return left, err
}

// offRoster says what is not on the roster, and where the event looked for it.
func (k Keeper) offRoster(e Event) (rule, advice string) {
	where := strings.TrimSpace(e.Cloud + " " + e.Region)
	if where != "" {
		where = " in " + where
	}
	if e.HAVIP != "" && e.Ask.Instance == "" {
		return e.HAVIP + " is not on the roster" + where, "add the HAVIP to roster.yaml, or check cloud, region and id"
	}
	rule = e.Ask.Instance + " is not on the roster" + where
	if elsewhere := k.Roster.Index().Of(e.Ask.Instance); len(elsewhere) > 0 {
		return rule, "it is in " + elsewhere[0].Cloud + " " + elsewhere[0].Region + ": check the event's cloud, region and HAVIP"
	}
	return rule, "add the instance to a HAVIP's members in roster.yaml, or check cloud, region and id"
}

func itoa(n int) string { return strconv.Itoa(n) }
