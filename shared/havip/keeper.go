package havip

import (
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

	// Later leaves the first look to the follow-up, for a host whose bus
	// delivers at once and whose sender waits for an answer.
	Later bool
}

// Clouds opens the account of a HAVIP; session names the story in its logs.
type Clouds func(ctx context.Context, p Policy, session string) (Cloud, Fleet, error)

func (k Keeper) settle() time.Duration { return orElse(k.Settle, 25*time.Second) }

func (k Keeper) callTimeout() time.Duration { return orElse(k.CallTimeout, 10*time.Second) }

func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// Take admits the event and takes the first look of each story that it opened.
func (k Keeper) Take(ctx context.Context, e Event) ([]Admission, error) {
	admitted, err := k.Admit(ctx, e)
	return admitted, errors.Join(err, k.firstLooks(ctx, admitted))
}

func (k Keeper) firstLooks(ctx context.Context, admitted []Admission) error {
	var failed []error
	for _, a := range admitted {
		if a.Opened && !k.Later {
			failed = append(failed, k.Look(ctx, Check{HAVIP: a.HAVIP, Story: a.Story, Attempt: 1}))
		}
	}
	return errors.Join(failed...)
}

// Look reads the HAVIP of a story, takes at most one step, and leaves the next
// look or the outcome in the ledger's outbox. A check of another attempt or of a
// story that ended changes nothing.
func (k Keeper) Look(ctx context.Context, c Check) error {
	for {
		l, err := k.open(ctx, c)
		if err == nil && l != nil {
			err = l.look(ctx)
		}
		if !errors.Is(err, ErrConflict) { // a lost compare-and-set reads everything again
			return err
		}
	}
}

// open reads the record, then the HAVIP, in this order: what was done after the
// record was read makes our next compare-and-set fail. It returns nil where
// there is nothing to look at.
func (k Keeper) open(ctx context.Context, c Check) (*look, error) {
	key := c.HAVIP.String()
	r, rev, err := k.Ledger.Load(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("ledger: read %s: %w", key, err)
	}
	if rev == 0 && c.Carried != nil && c.Carried.Story != nil {
		r = c.Carried.adopt()
	}
	if r.Story.Open() && r.Story.ID == c.Story && r.Story.Attempt < c.Attempt { // a replica's, perhaps
		return nil, fmt.Errorf("ledger: %s was read at attempt %d, before its own follow-up %d", key, r.Story.Attempt, c.Attempt)
	}
	if !r.Story.Open() || r.Story.ID != c.Story || r.Story.Attempt != c.Attempt {
		return nil, k.supersede(ctx, c, r, rev)
	}
	l := &look{keeper: k, record: r, rev: rev, story: r.Story}
	policy, found := k.policy(c.HAVIP)
	if !found {
		l.story.explain(c.HAVIP.ID+" is no longer on the roster", "add it to roster.yaml")
		return nil, l.end(ctx, Refused)
	}
	l.policy, l.story.Roster = policy, policy.Roster
	if err := l.read(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

func (k Keeper) policy(key Key) (Policy, bool) {
	for _, p := range k.Roster.Policies() {
		if p.Key() == key {
			return p, true
		}
	}
	return Policy{}, false
}

// supersede ends the story of a follow-up that the record has never heard of:
// the ledger was lost, and another story was adopted first.
func (k Keeper) supersede(ctx context.Context, c Check, r Record, rev Revision) error {
	if c.Carried == nil || c.Carried.Story == nil || r.Story == nil || r.knows(c.Story) {
		return nil
	}
	lost := *c.Carried.Story
	lost.explain("superseded by "+r.Story.Event.Type+" "+r.Story.Event.ID, "")
	lost.Outcome, lost.EndedAt = Superseded, time.Now().UTC()
	r.rememberStory(lost)
	r.Outbox = append(r.Outbox, endedLetter(lost))
	_, err := k.Ledger.Save(ctx, c.HAVIP.String(), r, rev)
	return err
}

// adopt makes a record of what a follow-up carries.
func (r *Record) adopt() Record {
	adopted := *r
	adopted.rememberStory(*r.Story)
	return adopted
}

func (r *Record) rememberStory(s Story) {
	r.remember(Event{EventRef: s.Event, Arrived: s.StartedAt}, s.ID)
}

func (r *Record) knows(story string) bool {
	if r.Story.ID == story {
		return true
	}
	for _, s := range r.Seen {
		if s.Story == story || againID(s.Story) == story {
			return true
		}
	}
	return false
}
