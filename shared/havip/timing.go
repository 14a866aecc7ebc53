package havip

import (
	"context"
	"slices"
	"sync"
	"time"
)

// When to look next. A call is accepted at once and shows its effect later: how much
// later, a cloud does not tell. What it took before is kept in the ledger, by cloud,
// region and verb, and says when the effect is likely to show.

// Took is how long one call took to show its effect, from its answer on: longer than
// After, and By at the most. No look came in between.
type Took struct {
	After time.Duration `json:"after"`
	By    time.Duration `json:"by"`
}

// Timing is what the newest calls of each verb took in one cloud and region, the last
// one last. Older ones are forgotten.
type Timing map[Step][]Took

const (
	maxTook = 16 // of a verb
	minTook = 5  // fewer say nothing: one of them may be an exception
)

func timingKey(p Policy) string { return "timing." + p.Cloud + "." + p.Region }

func (t *Timing) add(verb Step, took Took) {
	if *t == nil {
		*t = Timing{}
	}
	seen := append((*t)[verb], took)
	(*t)[verb] = seen[max(0, len(seen)-maxTook):]
}

// Timings are what one process knows of all clouds and regions, beside the ledger: it
// is read once a minute, and written once a second at most, however many learn. The
// zero value is ready; with nil nothing is learnt.
type Timings struct {
	mu     sync.Mutex
	places map[string]*place
}

// place is one cloud and region.
type place struct {
	known       Timing
	untold      []lesson // not in the ledger yet
	read, wrote time.Time
}

// lesson is what one call took.
type lesson struct {
	verb Step
	took Took
}

const (
	readAgain  = time.Minute
	writeAgain = time.Second
	briefly    = time.Second // what either may take: no look waits for a lesson
)

// at returns a place; the caller holds the mutex.
func (t *Timings) at(key string) *place {
	if t.places == nil {
		t.places = map[string]*place{}
	}
	if t.places[key] == nil {
		t.places[key] = &place{}
	}
	return t.places[key]
}

// took returns what the newest calls of a verb took. A ledger that does not answer has
// nothing to say.
func (k Keeper) took(ctx context.Context, p Policy, verb Step) []Took {
	if k.Timings == nil {
		return nil
	}
	key := timingKey(p)
	if k.Timings.old(key) {
		ctx, cancel := context.WithTimeout(ctx, briefly)
		defer cancel()
		if known, _, err := Load[Timing](ctx, k.Ledger, key); err == nil {
			k.Timings.know(key, known)
		}
	}
	k.Timings.mu.Lock()
	defer k.Timings.mu.Unlock()
	return slices.Clone(k.Timings.at(key).known[verb])
}

// old tells that it is time to read a place, to one of those who ask.
func (t *Timings) old(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, now := t.at(key), time.Now()
	if !at.read.IsZero() && now.Sub(at.read) < readAgain {
		return false
	}
	at.read = now
	return true
}

// know takes what the ledger has, and what it has not yet.
func (t *Timings) know(key string, known Timing) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.at(key)
	at.known = known
	for _, n := range at.untold {
		at.known.add(n.verb, n.took)
	}
}

// learn notes what a call took. The ledger need not take it: the next one teaches as
// much.
func (k Keeper) learn(ctx context.Context, p Policy, n lesson) {
	if k.Timings == nil {
		return
	}
	key := timingKey(p)
	untold := k.Timings.note(key, n)
	if len(untold) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, briefly)
	defer cancel()
	known, _, err := Update(ctx, k.Ledger, key, func(t *Timing) (bool, error) {
		for _, n := range untold {
			t.add(n.verb, n.took)
		}
		return true, nil
	})
	if err == nil {
		k.Timings.know(key, known)
	}
}

// note adds a lesson, and returns those that are to be written now.
func (t *Timings) note(key string, n lesson) []lesson {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, now := t.at(key), time.Now()
	at.known.add(n.verb, n.took)
	at.untold = append(at.untold, n)
	at.untold = at.untold[max(0, len(at.untold)-maxTook):]
	if now.Sub(at.wrote) < writeAgain {
		return nil
	}
	due := at.untold
	at.untold, at.wrote = nil, now
	return due
}
