package cloudtest

import (
	"context"
	"testing"
	"time"
)

// testWire breaks one attach, and then wants the next one to serve.
func (h Harness) testWire(t *testing.T) {
	tests := []struct {
		fault   Fault
		want    verdict
		effects int
	}{
		{Throttled, busy, 0},
		{ReplyLost, lost, 1},
		{Cut, lost, 0},
		{Redirect, lost, 0},
		{BadGateway, lost, 0},
		{NumericCode, lost, 0},
		{Empty, lost, 0},
	}
	for _, tt := range tests {
		t.Run(string(tt.fault), func(t *testing.T) {
			s := h.startWire(t)
			s.Fault(tt.fault)
			_, err := s.Attach(t.Context(), s.call(0))
			s.wantFailure(err, tt.want)
			s.wantEffects(tt.effects)

			s.attached(0)
			s.wantHolders(0)
			s.wantEffects(1)

			s.Fault(tt.fault)
			if _, err = s.Get(t.Context(), h.HAVIP); err != nil || !repeatable(tt.fault) {
				s.wantFailure(err, tt.want)
			}
		})
	}
}

// repeatable tells whether net/http may send a read again on its own.
func repeatable(f Fault) bool { return f == ReplyLost || f == Cut }

const patience, grace = 200 * time.Millisecond, 100 * time.Millisecond

// testDeadline wants a silent cloud given up in time, whether the context or the
// time-out says when.
func (h Harness) testDeadline(t *testing.T) {
	s := h.startWire(t)
	for _, fault := range []Fault{Slow, SlowBody} {
		s.wantSoon("get", fault, func(ctx context.Context) error {
			_, err := s.Get(ctx, h.HAVIP)
			return err
		})
	}
	s.wantSoon("attach", Slow, func(ctx context.Context) error {
		_, err := s.Attach(ctx, s.call(0))
		return err
	})
	impatient := s.Open(Access{Keys: h.Keys, Timeout: patience})
	s.wantSoon("get within the time-out", Slow, func(context.Context) error {
		_, err := impatient.Get(t.Context(), h.HAVIP)
		return err
	})
}

// wantSoon wants one of a few tries given up in time: a busy machine makes one
// late, a client that waits for the cloud all of them.
func (s session) wantSoon(what string, fault Fault, do func(context.Context) error) {
	s.Helper()
	const tries = 5
	for try := 1; ; try++ {
		s.Fault(fault)
		ctx, cancel := context.WithTimeout(s.Context(), patience)
		began := time.Now()
		err := do(ctx)
		took := time.Since(began)
		cancel()
		s.wantFailure(err, lost)
		if took <= patience+grace {
			return
		}
		if try == tries {
			s.Errorf("%s, %s took %v, want at most %v", what, fault, took, patience+grace)
			return
		}
	}
}

func (h Harness) startWire(t *testing.T) session {
	t.Helper()
	s := h.start(t, 0)
	if s.Fault == nil {
		t.Skip("this cloud has no wire")
	}
	return s
}
