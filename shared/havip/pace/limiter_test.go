package pace

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/havip"
)

// window is a cloud that takes so many calls in each second, and counts.
type window struct {
	limit  int
	began  time.Time
	calls  int
	served int
	denied int
}

func (w *window) take() error {
	if now := time.Now(); now.Sub(w.began) >= time.Second {
		w.began, w.calls = now, 0
	}
	if w.calls++; w.calls > w.limit {
		w.denied++
		return &havip.Error{Kind: havip.ErrBusy, Code: "Throttling.User", Status: 400}
	}
	w.served++
	return nil
}

// TestLimiterFindsTheCloudsRate: whatever a cloud takes, most of it is used, and
// little is refused.
func TestLimiterFindsTheCloudsRate(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{5, 50, 300} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, w := &limiter{}, &window{limit: limit}
				const span = 2 * time.Minute
				end := time.Now().Add(span)
				for time.Now().Before(end) {
					together(50, func(int) {
						leave, err := l.enter(t.Context(), routine)
						if err != nil {
							t.Error(err)
							return
						}
						l.mu.Lock()
						err = w.take()
						l.mu.Unlock()
						<-time.After(time.Duration(rand.Int64N(int64(50 * time.Millisecond))))
						leave(err)
					})
				}
				used := float64(w.served) / (span.Seconds() * float64(limit))
				wasted := float64(w.denied) / float64(w.served+w.denied)
				t.Logf("%.2f used, %.3f refused", used, wasted)
				if used < 0.6 || wasted > 0.09 {
					t.Errorf("%d a second: %.2f of it used, %.3f of the calls refused", limit, used, wasted)
				}
			})
		})
	}
}

// TestRest: whoever is told "too many calls" makes none for a while, longer each time.
func TestRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{}
		for _, rest := range []time.Duration{0, shortRest, 2 * shortRest, 4 * shortRest} {
			began := time.Now()
			leave, err := l.enter(t.Context(), routine)
			if took := time.Since(began); took != rest || err != nil {
				t.Errorf("let through after %s, want %s: %v", took, rest, err)
			}
			<-time.After(time.Millisecond) // the call
			leave(&havip.Error{Kind: havip.ErrBusy, Code: "Throttling.User"})
		}
	})
}

func TestThrottled(t *testing.T) {
	t.Parallel()
	busy := func(code string, status int) error {
		return &havip.Error{Kind: havip.ErrBusy, Code: code, Status: status}
	}
	for _, test := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("new to us"), false},
		{busy("Throttling.User", 400), true},
		{busy("Rejected.Throttling", 400), true},
		{busy("ThrottlingException", 400), true},
		{busy("RequestLimitExceeded", 400), true},
		{busy("Whatever", 429), true},
		{busy("IncorrectHaVipStatus", 400), false},
		{busy("ServiceUnavailable", 503), false},
		{fmt.Errorf("look: %w", busy("Throttling.Api", 503)), true},
		{&havip.Error{Kind: havip.ErrRefused, Code: "Forbidden", Status: 403}, false},
	} {
		if got := Throttled(test.err); got != test.want {
			t.Errorf("%v: %v", test.err, got)
		}
	}
}

// TestCalm: what is asked for now and then waits for nothing.
func TestCalm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{all: ids(3), perPage: 50}
		c := f.open(t)
		for range 20 {
			began := time.Now()
			_, _ = c.Get(t.Context(), "havip-0")
			_, _ = c.States(t.Context(), []string{"i-1"})
			_, _ = c.Attach(t.Context(), havip.Call{HAVIP: "havip-0"})
			if took := time.Since(began); took > 30*time.Millisecond {
				t.Errorf("three calls of 10 ms took %s", took)
			}
			<-time.After(300 * time.Millisecond)
		}
	})
}
