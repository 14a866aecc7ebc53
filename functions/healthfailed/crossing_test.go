package healthfailed_test

import (
	"testing"
	"time"

	"havip-functions/functions/functionstest"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// What comes between an event and its effect: other events, the cloud, and time.

func TestCrossing(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "opposite wants: the later story has its way, and pending goes with it", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Post(s.Failed("i-db1"))
			s.Wait(time.Second) // the attach of i-db2 is under way
			s.Post(s.Failed("i-db2"))
			s.Wait(time.Second / 2)
			s.Post(s.Started("i-db1"))
		}, Calls: "+i-db2 -i-db2", Outcomes: "superseded, superseded, attached i-db1", Holders: "i-db1*"},
		{Name: "the standby fails while it is being attached", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			s.Wait(time.Second)
			s.Instance("i-db2", havip.Stopped)
			s.Post(s.Failed("i-db2"))
		}, Calls: "+i-db2 -i-db1 +i-db3 -i-db2", Outcomes: "superseded, attached i-db3", Holders: "i-db3*"},
		{Name: "it is restored in the middle, and released all the same", Scene: holds(three, "i-db1", "i-db2"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Wait(2 * time.Second)
			s.Post(s.Failed("i-db1"))
			s.Wait(time.Second) // the detach is under way
			s.Instance("i-db1", havip.Running)
			s.Post(s.Restored("i-db1"))
		}, Calls: "-i-db1 +i-db1", Outcomes: "attached i-db1", Holders: "i-db1 i-db2*"},
		{Name: "it is restored before anything was done", Scene: holds(three, "i-db1", "i-db2"), Tell: func(s *stage) {
			s.Post(s.Failed("i-db1")) // it serves: VRRP is waited for
			s.Wait(time.Minute)
			s.Post(s.Restored("i-db1"))
		}, Outcomes: "unchanged i-db1", Holders: "i-db1* i-db2"},
		{Name: "the same failure from two watchers", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			s.Post(s.Failed("i-db1"))
		}, Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2", Holders: "i-db2*"},
	})
}

func TestClouds(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "a refused standby is replaced by the next member", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 1, Error: &fault{Code: "OperationUnsupported.BindOnMultipleVswitch"}})
			stops("i-db1")(s)
		}, Calls: "+i-db2:OperationUnsupported.BindOnMultipleVswitch +i-db3 -i-db1", Outcomes: "attached i-db3", Holders: "i-db3*"},
		{Name: "with nobody left the cloud's own no is told", Scene: holds("members: [i-db1, i-db2], hold: 1", "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 1, Error: &fault{Code: "OperationUnsupported.BindOnMultipleVswitch"}})
			stops("i-db1")(s)
		}, Calls: "+i-db2:OperationUnsupported.BindOnMultipleVswitch", Outcomes: "refused", Holders: "i-db1",
			Says: []string{"OperationUnsupported.BindOnMultipleVswitch", "same vSwitch"}},
		{Name: "a no permission ends it", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Error: &fault{Code: "Forbidden.RAM"}})
			stops("i-db1")(s)
		}, Calls: "+i-db2:Forbidden.RAM", Outcomes: "refused", Holders: "i-db1", Says: []string{"Forbidden.RAM", "grant vpc:AssociateHaVip"}},
		{Name: "throttling slows it down", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 3, Error: &fault{Code: "Throttling.User"}})
			stops("i-db1")(s)
		}, Calls: "+i-db2:Throttling.User*3 +i-db2 -i-db1", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "a cloud that can't be read is timed out with its code", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "DescribeHaVips", Error: &fault{Code: "Throttling.User"}})
			stops("i-db1")(s)
		}, Outcomes: "timedout", Holders: "i-db1", Says: []string{"Throttling.User", "too many calls"}},
	})
}

func TestCoolDown(t *testing.T) {
	limit3 := "members: [i-db1, i-db2, i-db3, i-db4], hold: 2"
	functionstest.Run(t, []functionstest.Story{
		{Name: "a second failover waits while a healthy holder remains", Scene: holds(limit3, "i-db1", "i-db2"), Tell: func(s *stage) {
			stops("i-db1", "i-db2")(s)
			calls := s.Changes()
			first, second := calls[0].Time, calls[2].Time
			if wait := second.Sub(first); wait < time.Minute {
				s.Errorf("the second failover began after %s", wait)
			}
		}, Calls: "-i-db1 +i-db3 -i-db2 +i-db4", Outcomes: "attached i-db3, attached i-db4", Holders: "i-db3* i-db4"},
		{Name: "with none at all nothing waits", Scene: holds(limit3+", coolDown: 0s", "i-db1", "i-db2"), Tell: func(s *stage) {
			began := time.Now()
			stops("i-db1", "i-db2")(s)
			if took := s.Changes()[2].Time.Sub(began); took > 30*time.Second {
				s.Errorf("the second failover began after %s", took)
			}
		}, Calls: "-i-db1 +i-db3 -i-db2 +i-db4", Outcomes: "attached i-db3, attached i-db4", Holders: "i-db3* i-db4"},
		{Name: "without one nothing waits", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			began := time.Now()
			stops("i-db1", "i-db2")(s)
			if took := s.Changes()[2].Time.Sub(began); took > 30*time.Second {
				s.Errorf("the second failover began after %s", took)
			}
		}, Calls: "+i-db2 -i-db1 +i-db3 -i-db2", Outcomes: "attached i-db2, attached i-db3", Holders: "i-db3*"},
	})
}
