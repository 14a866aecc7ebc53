package havip_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
)

// witnessed is a HAVIP whose address is asked where its story ends.
var witnessed = scene{Policy: "members: [i-db1, i-db2], hold: 1, probe: 'tcp:5432'", Holders: []string{"i-db1"}}

// The second witness is told, and nothing is done by it: the calls are the same
// whatever it says.
func TestAProbeIsToldAndNeverActedOn(t *testing.T) {
	for name, tt := range map[string]struct {
		prober       havip.Prober
		probe, why   string
		rule, advice string
	}{
		"reachable":   {func(context.Context, havip.Probe, netip.Addr) error { return nil }, "reachable", "", "", ""},
		"unreachable": {func(context.Context, havip.Probe, netip.Addr) error { return errors.New("connection refused") }, "unreachable", "connection refused", "attached, but 10.0.0.100 does not answer tcp:5432: connection refused, though the cloud names i-db2", "security group"},
		"off":         {func(context.Context, havip.Probe, netip.Addr) error { return havip.NotAsked("HAVIP_PROBE=off") }, "not tried", "HAVIP_PROBE=off", "", ""},
		"outside":     {nil, "not tried", "nobody here looks from inside the VPC", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			functionstest.Play(t, witnessed, func(s *stage) {
				s.Function = s.Host(func(f *flow.Function) { f.Keeper.Probe = tt.prober })
				s.Instance("i-db1", havip.Stopped)
				s.Post(s.Failed("i-db1"))
				s.Want("+i-db2 -i-db1", "attached i-db2", "i-db2*")
				if last := s.Last(); last.Probe != tt.probe || last.ProbeReason != tt.why || last.Rule != tt.rule {
					t.Errorf("%q (%q), rule %q", last.Probe, last.ProbeReason, last.Rule)
				}
				s.Says(tt.advice)
			})
		})
	}
}

// Only what is called served, or has reached what it wants, is worth a second witness,
// and only where the roster asks for one.
func TestNoProbeWithoutItsPlace(t *testing.T) {
	asked := 0
	count := func(context.Context, havip.Probe, netip.Addr) error { asked++; return nil }
	functionstest.Play(t, scene{Policy: "members: [i-db1, i-db2], hold: 1", Holders: []string{"i-db1"}}, func(s *stage) {
		s.Function = s.Host(func(f *flow.Function) { f.Keeper.Probe = count })
		s.Post(s.Started("i-db1"))
		s.Want("", "unchanged i-db1", "i-db1*")
	})
	functionstest.Play(t, witnessed, func(s *stage) {
		s.Function = s.Host(func(f *flow.Function) { f.Keeper.Probe = count })
		s.Instance("i-db1", havip.Stopped)
		s.Instance("i-db2", havip.Stopped)
		s.Post(s.Failed("i-db1"))
		s.Finish()
		if last := s.Last(); last.Outcome != "refused" || last.Probe != "" {
			t.Errorf("%+v", last)
		}
	})
	if asked != 0 {
		t.Errorf("asked %d times", asked)
	}
}

// A probe has two seconds, and never more than half of what is left of the invocation.
func TestAProbeIsBounded(t *testing.T) {
	for left, want := range map[time.Duration]time.Duration{0: 2 * time.Second, time.Minute: 2 * time.Second, 3 * time.Second: 1500 * time.Millisecond} {
		functionstest.Play(t, witnessed, func(s *stage) {
			var took time.Duration
			s.Function = s.Host(func(f *flow.Function) {
				f.Keeper.Probe = func(ctx context.Context, p havip.Probe, address netip.Addr) error {
					began := time.Now()
					<-ctx.Done()
					took = time.Since(began)
					if p.String() != "tcp:5432" || address.String() != "10.0.0.100" {
						t.Errorf("it asks %s at %s", p, address)
					}
					return ctx.Err()
				}
			})
			ctx := s.Context()
			if left > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, left)
				defer cancel()
			}
			if _, err := s.Function.Accept(ctx, s.Started("i-db1")); err != nil {
				t.Error(err)
			}
			if took != want || s.Last().Probe != "unreachable" {
				t.Errorf("with %s left it took %s, want %s: %+v", left, took, want, s.Last())
			}
		})
	}
}
