package havip

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"
)

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
	b, _, err := Update(ctx, k.Ledger, brakeKey(p), func(b *Braking) (bool, error) {
		if _, counted := b.Stories[story]; counted || !b.Since.IsZero() {
			return false, nil
		}
		b.count(story, now, p.Brake)
		return true, nil
	})
	if _, counted := b.Stories[story]; counted || err != nil {
		return time.Time{}, err
	}
	return b.Since, nil
}

// giveBack takes out of the count what moved nothing: a story that the cloud refused
// would else keep the brake closed for those that can be helped.
func (k Keeper) giveBack(ctx context.Context, p Policy, story string) error {
	if p.Brake.Failovers == 0 {
		return nil
	}
	_, _, err := Update(ctx, k.Ledger, brakeKey(p), func(b *Braking) (bool, error) {
		_, counted := b.Stories[story]
		delete(b.Stories, story)
		return counted, nil
	})
	return err
}

// count adds the story, or closes the brake where it is one too many.
func (b *Braking) count(story string, now time.Time, most Brake) {
	if b.Stories == nil {
		b.Stories = map[string]time.Time{}
	}
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
	for _, policies := range k.byAccount(everything) {
		p := policies[0]
		since, err := k.closedSince(ctx, p)
		if err != nil {
			return nil, err
		}
		if since != nil {
			closed = append(closed, Closed{p.Cloud, p.Account, p.Region, *since})
		}
	}
	return closed, nil
}

// closedSince is since when the brake of a HAVIP's account and region lets no failover
// through; nil where it does.
func (k Keeper) closedSince(ctx context.Context, p Policy) (*time.Time, error) {
	b, _, err := Load[Braking](ctx, k.Ledger, brakeKey(p))
	if err != nil || b.Since.IsZero() {
		return nil, err
	}
	return &b.Since, nil
}

// Lift opens the brake of every account and region, and returns where it was
// closed. The next sweep sees to what it had refused.
func (k Keeper) Lift(ctx context.Context) ([]Closed, error) {
	closed, err := k.Closed(ctx)
	for _, c := range closed {
		account := Policy{Cloud: c.Cloud, Account: c.Account, Region: c.Region}
		_, _, failed := Update(ctx, k.Ledger, brakeKey(account), func(b *Braking) (bool, error) {
			*b = Braking{}
			return true, nil
		})
		err = errors.Join(err, failed, k.unsettle(ctx, brakeKey(account)))
	}
	return closed, err
}

// unsettle lets the sweep act again on what a brake refused. What a cloud refused stays
// as it is: trying that again would take the places of those that can be helped.
func (k Keeper) unsettle(ctx context.Context, brake string) error {
	var failed []error
	for _, p := range k.Roster.Policies() {
		if brakeKey(p) != brake {
			continue
		}
		_, err := k.Change(ctx, p.Key().String(), func(r *Record) (bool, error) {
			if r.Story == nil || r.Story.Outcome != Refused || r.Story.Code != "" {
				return false, nil
			}
			r.Settled = ""
			return true, nil
		})
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
