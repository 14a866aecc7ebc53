package havip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Freeze keeps our hands off a HAVIP for a while. A recover by hand passes.
type Freeze struct {
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
	Actor  string    `json:"actor"`
}

func (f *Freeze) holds(now time.Time) bool { return f != nil && now.Before(f.Until) }

func (f *Freeze) explain(name string) (rule, advice string) {
	return fmt.Sprintf("%s is frozen until %s by %s: %s", name, f.Until.UTC().Format(time.RFC3339), f.Actor, f.Reason),
		fmt.Sprintf("run havip freeze %s --until now to lift it, or havip recover %s", name, name)
}

// brake stops a story where a person said so; what its event tells of an
// instance is remembered all the same.
func (r *Record) brake(s *Story, p Policy, now time.Time) Outcome {
	switch {
	case p.Mode == Paused:
		s.explain(p.Name+" is paused", "set its mode to act in roster.yaml")
	case r.Frozen.holds(now) && s.Ask.Kind != AskRecover:
		s.explain(r.Frozen.explain(p.Name))
	default:
		return ""
	}
	return Ignored
}

// Freeze freezes the HAVIPs that pick names by id or name, all for an empty
// pick, and returns their names. A time that has passed lifts it.
func (k Keeper) Freeze(ctx context.Context, pick string, f Freeze) ([]string, error) {
	var frozen []string
	for _, p := range k.Roster.Policies() {
		if pick != "" && pick != p.ID && pick != p.Name {
			continue
		}
		_, err := k.change(ctx, p.Key().String(), func(r *Record) Admission {
			r.Frozen = &f
			return Admission{}
		})
		if err != nil {
			return frozen, err
		}
		frozen = append(frozen, p.Name)
	}
	return frozen, nil
}

// Brake bounds the failovers of one account and region: what fails over more
// often is more likely fooled than unlucky. The zero Brake bounds nothing.
type Brake struct {
	Failovers int
	Within    time.Duration
}

// Braking is the failovers of one account and region within the brake's time.
type Braking struct {
	Stories map[string]time.Time `json:"stories"`
	Since   time.Time            `json:"since,omitzero"` // when it closed; a person opens it again
}

func brakeKey(p Policy) string {
	return strings.Join([]string{"brake", p.Cloud, cmp.Or(p.Account, "-"), p.Region}, ".")
}

// spend counts the story's failover, or reports since when no more are let
// through. A story counts once, however often it asks.
func (k Keeper) spend(ctx context.Context, p Policy, story string, now time.Time) (closed time.Time, err error) {
	if p.Brake.Failovers == 0 {
		return time.Time{}, nil
	}
	for {
		r, rev, err := k.Ledger.Load(ctx, brakeKey(p))
		if err != nil {
			return time.Time{}, fmt.Errorf("ledger: read the brake: %w", err)
		}
		if r.Braking == nil {
			r.Braking = &Braking{Stories: map[string]time.Time{}}
		}
		if _, counted := r.Braking.Stories[story]; counted || !r.Braking.Since.IsZero() {
			if counted {
				return time.Time{}, nil
			}
			return r.Braking.Since, nil
		}
		r.Braking.count(story, now, p.Brake)
		_, err = k.Ledger.Save(ctx, brakeKey(p), r, rev)
		switch {
		case err == nil:
			return r.Braking.Since, nil
		case !errors.Is(err, ErrConflict):
			return time.Time{}, fmt.Errorf("ledger: write the brake: %w", err)
		}
	}
}

// count adds the story, or closes the brake where it is one too many.
func (b *Braking) count(story string, now time.Time, most Brake) {
	for old, at := range b.Stories {
		if now.Sub(at) > most.Within {
			delete(b.Stories, old)
		}
	}
	if len(b.Stories) >= most.Failovers {
		b.Since = now
		return
	}
	b.Stories[story] = now
}

// Closed is an account and region in which the brake lets no failover through.
type Closed struct {
	Cloud   string    `json:"cloud"`
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Since   time.Time `json:"since"`
}

// Closed returns where the brake lets no failover through.
func (k Keeper) Closed(ctx context.Context) ([]Closed, error) {
	closed := []Closed{}
	for _, policies := range k.byAccount("") {
		p := policies[0]
		r, _, err := k.Ledger.Load(ctx, brakeKey(p))
		if err != nil {
			return nil, err
		}
		if r.Braking != nil && !r.Braking.Since.IsZero() {
			closed = append(closed, Closed{p.Cloud, p.Account, p.Region, r.Braking.Since})
		}
	}
	return closed, nil
}

// Lift opens the brake of every account and region, and returns where it was
// closed. The next sweep sees to what it had refused.
func (k Keeper) Lift(ctx context.Context) ([]Closed, error) {
	closed, err := k.Closed(ctx)
	for _, c := range closed {
		account := Policy{Cloud: c.Cloud, Account: c.Account, Region: c.Region}
		_, failed := k.change(ctx, brakeKey(account), func(r *Record) Admission {
			r.Braking = nil
			return Admission{}
		})
		err = errors.Join(err, failed, k.unsettle(ctx, brakeKey(account)))
	}
	return closed, err
}

// unsettle lets the sweep act again on what a brake covers.
func (k Keeper) unsettle(ctx context.Context, brake string) error {
	var failed []error
	for _, p := range k.Roster.Policies() {
		if brakeKey(p) != brake {
			continue
		}
		_, err := k.change(ctx, p.Key().String(), func(r *Record) Admission {
			r.Settled = ""
			return Admission{}
		})
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// strangers are holders off the roster. They are told, never detached.
func strangers(p Policy, have HAVIP) []string {
	return slices.DeleteFunc(slices.Clone(have.Holders), func(id string) bool {
		_, member := p.Member(id)
		return member
	})
}
