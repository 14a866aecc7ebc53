package cloudtest

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/havip"
)

const callers = 64

// testConcurrent is for the race detector, and for a cloud that mixes up answers.
func (h Harness) testConcurrent(t *testing.T) {
	s := h.start(t, 0)
	var wg sync.WaitGroup
	for n := range callers {
		wg.Go(func() { s.converse(n % h.Limit) })
	}
	wg.Wait()
	for m := range h.Limit {
		if have := s.get(); !have.On(h.Members[m]) {
			t.Errorf("%s does not hold it: %+v", h.Members[m], have)
		}
	}
	s.wantEffects(h.Limit)
}

func (s session) converse(member int) {
	for range 3 {
		if have, err := s.Get(s.Context(), s.h.HAVIP); err != nil || have.ID != s.h.HAVIP {
			s.Errorf("get: %+v, %v", have, err)
		}
		if _, err := s.Attach(s.Context(), s.call(member)); err != nil && !errors.Is(err, havip.ErrBusy) {
			s.Errorf("attach: %v", err)
		}
		if states, err := s.States(s.Context(), s.h.Members); err != nil || len(states) != len(s.h.Members) {
			s.Errorf("states: %v, %v", states, err)
		}
	}
}

// testLeak makes a thousand calls, good and bad, and wants no more goroutines
// than a few idle connections keep.
func (h Harness) testLeak(t *testing.T) {
	s := h.start(t, 0)
	bad := s.Open(Access{Keys: noSecret})
	s.get()
	before := runtime.NumGoroutine()
	for range 500 {
		s.get()
		if _, err := bad.Get(t.Context(), h.HAVIP); err == nil {
			t.Fatal("the wrong keys serve")
		}
	}
	const idle = 8
	deadline := time.After(5 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for runtime.NumGoroutine() > before+idle {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
