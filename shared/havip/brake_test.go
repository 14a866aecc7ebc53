package havip_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/simulator"
)

// fails tells that an instance stopped.
func fails(s *stage, instance string) {
	s.Instance(instance, havip.Stopped)
	s.Post(s.Failed(instance))
	s.Finish()
}

func freeze(s *stage, d time.Duration) {
	s.Helper()
	f := havip.Freeze{Until: time.Now().Add(d), Reason: "maintenance", Actor: "ops"}
	if names, err := s.Function.Keeper.Freeze(s.Context(), "orders", f); err != nil || !slices.Equal(names, []string{"orders"}) {
		s.Fatalf("froze %q: %v", names, err)
	}
}

func TestFreeze(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "no failover", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			freeze(s, time.Hour)
			fails(s, "i-db1")
		}, Outcomes: "ignored", Holders: "i-db1", Says: []string{"orders is frozen until", "by ops: maintenance", "--until now"}},
		{Name: "not even one that was under way", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			freeze(s, time.Hour)
			s.Wait(5 * time.Second) // i-db2 takes over
		}, Calls: "+i-db2", Outcomes: "ignored i-db2", Holders: "i-db1 i-db2*", Says: []string{"orders is frozen"}},
		{Name: "a person passes", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			freeze(s, time.Hour)
			s.Post(s.Recover(request{Instance: "i-db2"}))
		}, Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1* i-db2"},
		{Name: "a sweep waits for its end", Scene: holds(one), Tell: func(s *stage) {
			freeze(s, time.Hour)
			s.Post(s.Sweep())
			s.Wait(time.Hour)
			s.Post(s.Sweep())
		}, Calls: "+i-db1", Outcomes: "serving.lost, attached i-db1", Holders: "i-db1*"}, // that nobody serves is told all the same
		{Name: "what failed meanwhile is known then", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			freeze(s, time.Hour)
			fails(s, "i-db2")
			freeze(s, 0)
			fails(s, "i-db1")
		}, Calls: "+i-db3 -i-db1", Outcomes: "ignored, attached i-db3", Holders: "i-db3*"},
	})
}

func TestBrake(t *testing.T) {
	once := holds(one, "i-db1")
	once.Brake = "failovers: 1, within: 10m"
	two := holds(one)
	two.Users, two.Brake = "members: [i-db4], hold: 1", once.Brake
	twice := func(s *stage) {
		fails(s, "i-db1")
		fails(s, "i-db2")
	}
	functionstest.Run(t, []functionstest.Story{
		{Name: "one failover too many", Scene: once, Tell: twice,
			Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2, refused", Holders: "i-db2",
			Says: []string{"there were 1 within 10m0s", "havip freeze --lift, or havip recover orders"}},
		{Name: "it opens by a person's hand alone", Scene: once, Tell: func(s *stage) {
			twice(s)
			s.Wait(time.Hour)
			s.Post(s.Failed("i-db2"))
			s.Finish()
			if closed, err := s.Function.Keeper.Lift(s.Context()); err != nil || len(closed) != 1 || closed[0].Region != "cn-hangzhou" {
				s.Errorf("lifted %+v: %v", closed, err)
			}
			s.Post(s.Failed("i-db2"))
		}, Calls: "+i-db2 -i-db1 +i-db3 -i-db2", Outcomes: "attached i-db2, refused, refused, attached i-db3", Holders: "i-db3*"},
		{Name: "a recover passes", Scene: once, Tell: func(s *stage) {
			twice(s)
			s.Post(s.Recover(request{}))
		}, Calls: "+i-db2 -i-db1 +i-db3 -i-db2", Outcomes: "attached i-db2, refused, attached i-db3", Holders: "i-db3*"},
		{Name: "what the cloud refused moved nothing", Scene: once, Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 2, Error: &simulator.FaultError{Code: "OperationUnsupported.BindOnMultipleVswitch"}})
			fails(s, "i-db1")
			s.Post(s.Failed("i-db1"))
		}, Calls: "+i-db2:OperationUnsupported.BindOnMultipleVswitch +i-db3:OperationUnsupported.BindOnMultipleVswitch +i-db2 -i-db1",
			Outcomes: "refused, attached i-db2", Holders: "i-db2*"},
		{Name: "a lift is for what it refused", Scene: two, Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 3, Error: &simulator.FaultError{Code: "OperationUnsupported.BindOnMultipleVswitch"}})
			s.Post(s.Sweep()) // orders takes the one place in vain, and users is not let through
			s.Finish()
			if _, err := s.Function.Keeper.Lift(s.Context()); err != nil {
				s.Error(err)
			}
			s.Post(s.Sweep())
		}, Calls: "+i-db1:OperationUnsupported.BindOnMultipleVswitch +i-db2:OperationUnsupported.BindOnMultipleVswitch +i-db3:OperationUnsupported.BindOnMultipleVswitch +i-db4@users",
			Outcomes: "refused@users, refused, attached i-db4@users"},
		{Name: "whatever a cloud said before", Scene: once, Tell: func(s *stage) {
			fails(s, "i-db1")
			s.Fault(simulator.Fault{Operation: "DescribeHaVips", Times: 1, Error: &simulator.FaultError{Code: "Throttling.User"}})
			fails(s, "i-db2")
			if _, err := s.Function.Keeper.Lift(s.Context()); err != nil {
				s.Error(err)
			}
			s.Post(s.Sweep())
		}, Calls: "+i-db2 -i-db1 +i-db3 -i-db2", Outcomes: "attached i-db2, refused, attached i-db3", Holders: "i-db3*"},
		{Name: "what is long ago does not count", Scene: once, Tell: func(s *stage) {
			fails(s, "i-db1")
			s.Wait(11 * time.Minute)
			fails(s, "i-db2")
		}, Calls: "+i-db2 -i-db1 +i-db3 -i-db2", Outcomes: "attached i-db2, attached i-db3", Holders: "i-db3*"},
	})
}

// overtaken is a ledger in which another event comes between a story's end and its write.
type overtaken struct {
	ledger.Ledger
	by func()
}

// Save implements [havip.Ledger].
func (l *overtaken) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	if by := l.by; by != nil && strings.HasPrefix(key, "alibaba.") && decoded(value).Story != nil && decoded(value).Story.Outcome == havip.Refused {
		l.by = nil
		by()
	}
	return l.Ledger.Save(ctx, key, value, rev)
}

// A story that was to end as refused and that another takes on keeps its place at the
// brake: what follows it is one more.
func TestAPlaceIsGivenBackByTheEndThatWasWritten(t *testing.T) {
	once := holds(one, "i-db1")
	once.Brake = "failovers: 1, within: 10m"
	functionstest.Play(t, once, func(s *stage) {
		l := &overtaken{Ledger: s.Ledger, by: func() { s.Post(s.Failed("i-db3")) }}
		s.Function = s.Host(func(f *flow.Function) { f.Keeper.Ledger, f.Ledger = l, l })
		s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 2, Error: &simulator.FaultError{Code: "OperationUnsupported.BindOnMultipleVswitch"}})
		fails(s, "i-db1")
		s.Want("+i-db2:OperationUnsupported.BindOnMultipleVswitch +i-db3:OperationUnsupported.BindOnMultipleVswitch", "superseded, refused", "i-db1")
		s.Says("the brake has let no failover through")
	})
}
