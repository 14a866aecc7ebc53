package pace

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"havip-functions/shared/havip"
)

// How the rate follows what the cloud takes: up by doubling until it is
// throttled, then slowly; down by a part each time.
const (
	firstRate = 20.0 // calls a second
	leastRate = 0.5
	mostRate  = 1000.0
	burst     = 500 * time.Millisecond // of calls that an idle account may make at once
	cut       = 0.85
	climb     = 0.04             // of the rate, each second
	forget    = 30 * time.Second // without throttling, until it doubles again
	shortRest = 200 * time.Millisecond
	longRest  = 5 * time.Second
)

// class orders those who wait.
type class int

const (
	underWay class = iota // what has had a turn, and reads that many wait for
	urgent
	routine
	patient
	classes
)

// limiter lets the calls of one account and region through at the rate that the
// cloud takes, which it finds out by being throttled.
type limiter struct {
	mu      sync.Mutex
	rate    float64   // 0: not called yet
	next    time.Time // when the next call may leave
	cut     time.Time // when it was throttled last, and the rate cut
	code    string    // of that answer
	rest    time.Duration
	waiting [classes][]chan struct{} // closed when it is their turn
	timer   bool                     // is set for the first of them
}

// enter waits for a turn. Its error is havip.ErrBusy: nothing was sent.
func (l *limiter) enter(ctx context.Context, c class) (leave func(error), err error) {
	turn := l.join(c)
	select {
	case <-turn:
	case <-ctx.Done():
		if l.leaveQueue(c, turn) {
			return nil, l.notInTime()
		}
	}
	if ctx.Err() != nil {
		return nil, l.notInTime()
	}
	entered := time.Now()
	return func(err error) { l.heard(entered, err) }, nil
}

// notInTime says that a turn did not come, and what the cloud itself said when it
// throttled the account last, if it did lately.
func (l *limiter) notInTime() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &havip.Error{
		Kind: havip.ErrBusy, Code: "Paced", Rule: "more calls wait than the cloud takes at a time",
		Advice: "it is tried again; raise the account's limit if it stays so",
	}
	if l.code != "" && time.Since(l.cut) < forget {
		e.Rule = "the cloud throttles the account (" + l.code + "), and the call's turn did not come"
	}
	return e
}

// join queues, or is let through at once.
func (l *limiter) join(c class) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rate == 0 {
		l.rate = firstRate
	}
	turn := make(chan struct{})
	l.waiting[c] = append(l.waiting[c], turn)
	l.serve()
	return turn
}

// leaveQueue reports false where the turn has come in the meantime.
func (l *limiter) leaveQueue(c class, turn chan struct{}) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting[c], turn)
	if i < 0 {
		return false
	}
	l.waiting[c] = slices.Delete(l.waiting[c], i, i+1)
	return true
}

// serve lets through whose turn it is, and comes back for the next.
func (l *limiter) serve() {
	for now := time.Now(); !l.timer; {
		c := slices.IndexFunc(l.waiting[:], func(q []chan struct{}) bool { return len(q) > 0 })
		if c < 0 {
			return
		}
		if wait := l.next.Sub(now); wait > 0 {
			l.timer = true
			time.AfterFunc(wait, func() {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.timer = false
				l.serve()
			})
			return
		}
		if idle := now.Add(-burst); l.next.Before(idle) {
			l.next = idle
		}
		l.next = l.next.Add(l.gap())
		close(l.waiting[c][0])
		l.waiting[c] = l.waiting[c][1:]
	}
}

func (l *limiter) gap() time.Duration { return time.Duration(float64(time.Second) / l.rate) }

// heard learns from how a call went that entered at a certain time.
func (l *limiter) heard(entered time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	switch {
	case !Throttled(err):
		if err == nil && entered.After(l.cut) {
			l.rest = 0
			l.grow(now)
		}
	case entered.After(l.cut):
		l.rate = max(leastRate, l.rate*cut)
		l.rest = min(max(shortRest, 2*l.rest), longRest)
		l.cut, l.next, l.code = now, now.Add(l.rest), codeOf(err)
	default: // it left before the last cut, which was for it too
	}
}

// grow raises the rate while it is what calls wait for.
func (l *limiter) grow(now time.Time) {
	if !l.busy() {
		return
	}
	each := climb // so many calls succeed in a second
	if now.Sub(l.cut) > forget {
		each = math.Ln2
	}
	l.rate = min(l.rate+each, mostRate)
}

// busy tells that calls wait.
func (l *limiter) busy() bool {
	return slices.ContainsFunc(l.waiting[:], func(q []chan struct{}) bool { return len(q) > 0 })
}

// spare is when the account has calls to spare, if none leaves until then.
func (l *limiter) spare() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next.Add(burst / 2)
}

// share is the time in which a number of calls is only one part in so many of all.
func (l *limiter) share(calls, parts int) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(calls*parts) * l.gap()
}

func codeOf(err error) string {
	e := &havip.Error{}
	errors.As(err, &e)
	return e.Code
}

// Throttled tells a cloud's "too many calls" from its other kinds of busy.
func Throttled(err error) bool {
	var e *havip.Error
	if !errors.As(err, &e) || !errors.Is(e, havip.ErrBusy) {
		return false
	}
	return e.Status == http.StatusTooManyRequests || strings.Contains(e.Code, "Throttl") || e.Code == "RequestLimitExceeded"
}
