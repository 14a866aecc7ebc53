package simulator_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// Thirty-two clients move one HAVIP on each cloud while its instances come and
// go. However they interleave, the world keeps its rules.
func TestManyAtOnce(t *testing.T) {
	s, err := simulator.New(simulator.Options{AssociateTime: 200 * time.Microsecond, MasterTime: 100 * time.Microsecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all sync.WaitGroup
	for g := range 32 {
		all.Go(func() {
			c := newClient(t, s)
			for n := range 40 {
				i := fmt.Sprintf("i-db%d", (g+n)%3+1)
				switch (g + n) % 4 {
				case 0:
					c.change("AssociateHaVip", i)
				case 1:
					c.change("UnassociateHaVip", i, "Force", "True")
				case 2:
					c.attach("attach", fmt.Sprintf("i-syG%d", (g+n)%3+1))
					c.attach("detach", fmt.Sprintf("i-syG%d", (g+n)%3+1))
				default:
					_ = s.SetInstance("alibaba", i, []havip.InstanceState{havip.Stopped, havip.Running}[n%2])
				}
				if h, _ := s.HAVIP("alibaba", "havip-bp1orders"); len(h.Holders) > 2 || h.Master != "" && !slices.Contains(h.Holders, h.Master) {
					t.Errorf("the HAVIP became %+v", h)
				}
			}
		})
	}
	all.Wait()
	calls := s.Calls(simulator.CallFilter{})
	for i, c := range calls {
		if c.N != i+1 {
			t.Fatalf("call %d stands in place %d", c.N, i+1)
		}
		if c.Effect && (c.Moving || c.Status != 200) {
			t.Errorf("an effect without leave: %+v", c)
		}
	}
	if len(calls) != 32*40 {
		t.Errorf("%d calls were written down, want %d", len(calls), 32*40)
	}
}

// Of many equal calls at one moment exactly one has an effect.
func TestOneEffectOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := simulator.New(simulator.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for range 32 {
			go newClient(t, s).change("AssociateHaVip", "i-db1", "ClientToken", "tok")
			go newClient(t, s).attach("attach", "i-syG1")
		}
		synctest.Wait()
		elapse(2 * time.Second)
		for _, op := range []string{"AssociateHaVip", "AttachHaVip"} {
			effects := 0
			for _, c := range s.Calls(simulator.CallFilter{Operation: op}) {
				if c.Effect {
					effects++
				}
			}
			if effects != 1 {
				t.Errorf("%s had %d effects, want 1", op, effects)
			}
		}
	})
}
