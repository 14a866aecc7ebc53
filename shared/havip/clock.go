package havip

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Clock tells the time by which events are judged and looks are timed: that of
// the ledger, which all hosts share. A machine whose own clock is off would take
// news for old, and deadlines for past. The zero value goes by the machine's
// clock until it has been compared; nil goes by it always.
type Clock struct {
	// Off is how far the machine's clock is ahead of the true time. It is for
	// simulations.
	Off time.Duration

	mu       sync.Mutex
	ahead    time.Duration // of the ledger before the machine
	compared time.Time     // by the machine; zero: at once
	known    bool          // the ledger has answered
}

// Timer is a ledger that tells its time, or an [ErrNoTime].
type Timer interface {
	Now(ctx context.Context) (time.Time, error)
}

// ErrNoTime means that this ledger tells no time, whenever it is asked.
var ErrNoTime = errors.New("this ledger does not tell its time")

const (
	// compareEvery is the time between two looks at the ledger's clock.
	compareEvery = time.Minute

	// MaxSkew is how far a machine's clock may be off before we go by the ledger's.
	MaxSkew = time.Second
)

// Now is the time, in UTC.
func (c *Clock) Now() time.Time {
	if c == nil {
		return time.Now().UTC()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.machine().Add(c.ahead).UTC()
}

func (c *Clock) machine() time.Time { return time.Now().Add(c.Off) }

// Compare looks at the ledger's clock, a while after the last time. It returns how
// far the ledger's is ahead where that became more than MaxSkew, or was and is no
// more: somebody should be told. A ledger that does not answer changes nothing.
// Until it has once everybody asks: who went on while the first answer is on its
// way would go by a clock that nobody has looked at.
//
// It is an error where the ledger has not answered yet: nothing may be judged, and no
// time written down, by a clock that nobody has looked at. A ledger that never will is
// an [ErrNoTime], and then the machine's has to do.
func (c *Clock) Compare(ctx context.Context, l Timer) (ahead time.Duration, news bool, err error) {
	if c == nil || !c.due() {
		return 0, false, nil
	}
	asked := time.Now()
	told, err := l.Now(ctx)
	took := time.Since(asked)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil && c.known, errors.Is(err, ErrNoTime):
		c.compared = time.Time{}
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("ledger: its time: %w", err)
	}
	c.compared, c.known = time.Now(), true
	ahead = told.Sub(c.machine().Add(-took / 2))
	if ahead.Abs() <= MaxSkew+took/2 { // as exact as the answer was quick
		ahead = 0
	}
	news = (ahead == 0) != (c.ahead == 0)
	c.ahead = ahead
	return ahead, news, nil
}

func (c *Clock) due() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.compared.IsZero() {
		return true
	}
	now := time.Now()
	due := now.Sub(c.compared) >= compareEvery
	if due { // one asks for all
		c.compared = now
	}
	return due
}
