package cloudtest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/havip"
)

var stormCalls = flag.Int("storm", 20, "how many calls each of the 64 callers of the storm makes")

// testStorm has 64 callers, each with a HAVIP of its own, attach, look, detach
// and look again while many calls go wrong. A yes has to be true, a no has to be
// one of ours, and nothing may be left behind.
func (h Harness) testStorm(t *testing.T) {
	s := h.startWire(t)
	// A change given up on the way would still have its effect, under later answers.
	s.Cloud = s.Open(Access{Keys: h.Keys, Timeout: long["attach"]})
	havips, err := s.List(t.Context())
	if err != nil || len(havips) < callers {
		t.Fatalf("got %d HAVIPs, %v, want one for each caller", len(havips), err)
	}
	s.Connections() // none is left of the list
	before := runtime.NumGoroutine()
	s.Storm()
	began := time.Now()
	sum := tally{outcomes: map[string]int{}}
	var wg sync.WaitGroup
	for n := range callers {
		wg.Go(func() { caller{s, havips[n].ID, &sum}.weather() })
	}
	wg.Wait()
	t.Logf("%s in %v", sum.String(), time.Since(began).Round(time.Millisecond))
	s.wantNothingLeft(before)
}

// caller is one of many, alone on its HAVIP.
type caller struct {
	session
	havip string
	sum   *tally
}

func (c caller) weather() {
	member := c.h.Members[0]
	for n := 0; n < *stormCalls; n += 4 {
		call := c.call(0)
		call.HAVIP, call.Force = c.havip, true
		call.Token = fmt.Sprint(c.havip, n)
		c.make("attach", func(ctx context.Context) error {
			_, err := c.Attach(ctx, call)
			return c.checked(err, slices.Equal(c.Holders(c.havip), []string{member}))
		})
		c.look()
		c.make("detach", func(ctx context.Context) error {
			_, err := c.Detach(ctx, call)
			return c.checked(err, len(c.Holders(c.havip)) == 0)
		})
		c.look()
	}
}

func (c caller) look() {
	c.make("get", func(ctx context.Context) error {
		have, err := c.Get(ctx, c.havip)
		return c.checked(err, have.ID == c.havip && slices.Equal(have.Holders, c.Holders(c.havip)))
	})
}

var errUntrue = errors.New("a yes that is not true")

// checked is the error of a call, or errUntrue.
func (c caller) checked(err error, isTrue bool) error {
	if err == nil && !isTrue {
		return errUntrue
	}
	return err
}

// long is a deadline that only a silent cloud exceeds, silent ones being reads.
var long = map[string]time.Duration{"attach": time.Minute, "detach": time.Minute, "get": time.Second}

// make makes one call and adds it up.
func (c caller) make(what string, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(c.Context(), long[what])
	defer cancel()
	err := do(ctx)
	late := time.Duration(0)
	if deadline, _ := ctx.Deadline(); ctx.Err() != nil {
		late = time.Since(deadline)
	}
	if err == nil {
		c.sum.add("ok", late)
		return
	}
	var e *havip.Error
	if !errors.As(err, &e) || !errors.Is(err, havip.ErrBusy) || e.Op == "" || e.Code == "" || strings.Contains(err.Error(), "\n") {
		c.Errorf("%s %s: %v", what, c.havip, err)
		return
	}
	c.wantNoSecret(err.Error() + e.Message)
	c.sum.add(e.Code, late)
}

// wantNothingLeft waits until no connection and no goroutine is left that was
// not there before.
func (s session) wantNothingLeft(goroutines int) {
	s.Helper()
	deadline := time.After(5 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		open, running := s.Connections(), runtime.NumGoroutine()
		if open == 0 && running <= goroutines {
			s.Logf("%d connections and %d goroutines left, %d before", open, running, goroutines)
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			s.Fatalf("%d connections and %d goroutines left, %d before", open, running, goroutines)
		}
	}
}

// tally adds up what many callers see.
type tally struct {
	mu       sync.Mutex
	outcomes map[string]int
	latest   time.Duration
}

func (t *tally) add(outcome string, late time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.outcomes[outcome]++
	t.latest = max(t.latest, late)
}

func (t *tally) String() string {
	calls, parts := 0, []string{}
	for outcome, n := range t.outcomes {
		calls += n
		parts = append(parts, fmt.Sprintf("%s %d", outcome, n))
	}
	slices.Sort(parts)
	return fmt.Sprintf("%d calls of %d callers: %s; at most %v beyond a deadline", calls, callers, strings.Join(parts, ", "), t.latest.Round(time.Millisecond))
}
