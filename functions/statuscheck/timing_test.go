package statuscheck_test

import (
	"testing"
	"time"

	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// A story costs one question about the members, one call, and the looks that it takes to
// see the effect: a few while nothing is known of the cloud, and one or two once it is,
// also to a process that begins anew.
func TestCallsOfAStory(t *testing.T) {
	nobody := scene{Policy: "members: [i-db1], hold: 1"}
	functionstest.Play(t, nobody, func(s *stage) {
		const takes = 2 * time.Second // as the simulated cloud is by default
		for n := range 40 {
			before, began := len(s.Clouds.Calls(simulator.CallFilter{})), time.Now()
			s.Post(s.Started("i-db1"))
			s.Finish()
			calls, late := len(s.Clouds.Calls(simulator.CallFilter{}))-before, time.Since(began)-takes
			if most := 8; calls > most || n > 20 && calls > 5 || late < 0 || late > takes/10 || s.Last().Outcome != "attached" {
				s.Errorf("story %d: %s %s late, by %d calls", n, s.Last().Outcome, late, calls)
			}
			letGo(s)
			if n%10 == 9 {
				s.Function = s.Host(func(*flow.Function) {})
			}
		}
		if n := len(s.Clouds.Calls(simulator.CallFilter{Operation: "DescribeInstances"})); n != 40 {
			s.Errorf("the members were asked for %d times", n)
		}
	})
}

// letGo takes orders from its holder, as somebody else does.
func letGo(s *stage) {
	s.Helper()
	k := s.Function.Keeper
	cloud, _, err := k.Clouds(s.Context(), k.Roster.Policies()[0], "by hand")
	if err == nil {
		_, err = cloud.Detach(s.Context(), havip.Call{HAVIP: functionstest.Orders, Instance: "i-db1", InstanceType: "EcsInstance", Force: true})
	}
	if err != nil {
		s.Fatal(err)
	}
	s.Wait(time.Minute)
}

// large is a roster that nobody goes through as a whole.
type large struct {
	havip.Roster
	stage *stage
}

func (l large) Policies() []havip.Policy {
	l.stage.Error("an event or a look goes through the whole roster")
	return l.Roster.Policies()
}

// What an event and its looks cost does not grow with the roster.
func TestNobodyGoesThroughTheRoster(t *testing.T) {
	functionstest.Play(t, alone, func(s *stage) {
		s.Function = s.Host(func(f *flow.Function) { f.Keeper.Roster = large{f.Keeper.Roster, s} })
		s.Instance("i-db1", havip.Stopped)
		s.Post(s.Failed("i-db1"))
		s.Post(s.Failed("i-stranger"))
		s.Want("+i-db2 -i-db1", "refused, attached i-db2", "i-db2*")
	})
}
