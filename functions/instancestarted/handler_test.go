package instancestarted_test

import (
	"testing"
	"time"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

type (
	stage = functionstest.Stage
	scene = functionstest.Scene
)

const (
	spare     = "members: [i-db1, i-db2], hold: 2"
	elsewhere = "OperationUnsupported.BindOnMultipleVswitch"
)

// starts tells that each instance started, one after the other.
func starts(instances ...string) func(*stage) {
	return func(s *stage) {
		for _, i := range instances {
			s.Post(s.Started(i))
			s.Finish()
		}
	}
}

func TestAttachWhereTooFewHold(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "the one that started comes first", Tell: starts("i-db2"),
			Calls: "+i-db2 +i-db1", Outcomes: "attached i-db1", Holders: "i-db1 i-db2*"},
		{Name: "on Baidu too", Scene: scene{Cloud: "baidu"}, Tell: starts("i-db2"),
			Calls: "+i-db2 +i-db1", Outcomes: "attached i-db1", Holders: "i-db1 i-db2*"},
		{Name: "one is missing", Scene: scene{Holders: []string{"i-db1"}}, Tell: starts("i-db3"),
			Calls: "+i-db3", Outcomes: "attached i-db3", Holders: "i-db1* i-db3"},
		{Name: "no automatic fail-back", Scene: scene{Holders: []string{"i-db2", "i-db3"}}, Tell: starts("i-db1"),
			Outcomes: "unchanged i-db2", Holders: "i-db2* i-db3"},
		{Name: "it holds already", Scene: scene{Holders: []string{"i-db1", "i-db2"}}, Tell: starts("i-db2"),
			Outcomes: "unchanged i-db1", Holders: "i-db1* i-db2"},
		{Name: "hold 1 is met", Scene: scene{Policy: "members: [i-db1, i-db2], hold: 1", Holders: []string{"i-db2"}}, Tell: starts("i-db1"),
			Outcomes: "unchanged i-db2", Holders: "i-db2*"},
		{Name: "off the roster, as a cloud's own bus has every instance of the account", Tell: func(s *stage) {
			e := s.Started("i-db4")
			e.Source = "acs.ecs"
			s.Post(e)
		}, Outcomes: "ignored", Says: []string{"i-db4 is not on the roster"}},
		{Name: "off the roster", Tell: starts("i-db4"),
			Outcomes: "refused", Says: []string{"i-db4 is not on the roster", "add the instance"}},
		{Name: "on two HAVIPs", Scene: scene{Policy: "members: [i-db1], hold: 1", Users: "members: [i-db2, i-db1], hold: 1"}, Tell: starts("i-db1"),
			Calls: "+i-db1 +i-db1@users", Outcomes: "attached i-db1, attached i-db1@users", Holders: "i-db1*"},
		{Name: "an interface, named by its instance", Scene: interfaces, Tell: starts("i-db2"),
			Calls: "+eni-2", Outcomes: "attached eni-2", Holders: "eni-1* eni-2"},
		{Name: "an interface on Baidu", Scene: interfacesOnBaidu, Tell: starts("i-db2"),
			Calls: "+eni-2", Outcomes: "attached eni-2", Holders: "eni-1* eni-2"},
		{Name: "one that failed before is trusted again", Scene: scene{Policy: spare, Holders: []string{"i-db1"}}, Tell: func(s *stage) {
			s.Post(s.Failed("i-db2"))
			s.Finish()
			s.Wait(time.Minute)
			s.Post(s.Started("i-db2"))
		}, Calls: "+i-db2", Outcomes: "unchanged i-db1, attached i-db2", Holders: "i-db1* i-db2"},
	})
}

var interfaces = scene{
	Policy:  "instanceType: NetworkInterface, members: [{id: eni-1, instance: i-db1}, {id: eni-2, instance: i-db2}], hold: 2",
	Holders: []string{"eni-1"},
}

var interfacesOnBaidu = scene{
	Cloud: "baidu", Holders: interfaces.Holders,
	Policy: "instanceType: ENI, members: [{id: eni-1, instance: i-db1}, {id: eni-2, instance: i-db2}], hold: 2",
}

// While somebody healthy holds the HAVIP, the one that is announced is waited for.
func TestStarting(t *testing.T) {
	rising := scene{Policy: spare, Holders: []string{"i-db1"}, States: map[string]havip.InstanceState{"i-db2": havip.Starting}}
	functionstest.Run(t, []functionstest.Story{
		{Name: "it is waited for", Scene: rising, Tell: func(s *stage) {
			s.Post(s.Started("i-db2"))
			s.Wait(20 * time.Second)
			s.Instance("i-db2", havip.Running)
		}, Calls: "+i-db2:IncorrectInstanceStatus*8 +i-db2", Outcomes: "attached i-db2", Holders: "i-db1* i-db2"},
		{Name: "until the deadline, at which its code is told", Scene: rising, Tell: starts("i-db2"),
			Calls: "+i-db2:IncorrectInstanceStatus*36", Outcomes: "timedout", Holders: "i-db1*", Says: []string{"IncorrectInstanceStatus", "start the instance"}},
		{Name: "another one is taken meanwhile where nobody holds it", Scene: scene{
			Policy: "members: [i-db1, i-db2], hold: 1", States: map[string]havip.InstanceState{"i-db1": havip.Starting},
		}, Tell: starts("i-db1"),
			Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db2*"},
	})
}

func TestModes(t *testing.T) {
	short := []string{"i-db1"}
	functionstest.Run(t, []functionstest.Story{
		{Name: "observe tells what it would do", Scene: scene{Policy: spare + ", mode: observe", Holders: short}, Tell: starts("i-db2"),
			Outcomes: "ignored", Holders: "i-db1*", Says: []string{"would Attach i-db2", "set mode: act"}},
		{Name: "paused tells that it is", Scene: scene{Policy: spare + ", mode: paused", Holders: short}, Tell: starts("i-db2"),
			Outcomes: "ignored", Holders: "i-db1*", Says: []string{"orders is paused"}},
	})
}

// Whatever comes twice, late, or too late changes nothing.
func TestChangeNothing(t *testing.T) {
	short := scene{Policy: spare, Holders: []string{"i-db1"}}
	functionstest.Run(t, []functionstest.Story{
		{Name: "a hundred times the same event", Scene: short, Tell: func(s *stage) {
			e := s.Started("i-db2")
			for range 100 {
				s.Post(e)
				s.Wait(50 * time.Millisecond)
			}
			s.Finish()
			s.Wait(26 * time.Hour)
			s.Post(e)
		}, Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1* i-db2"},
		{Name: "a hundred events about one instance", Scene: short, Tell: func(s *stage) {
			for range 100 {
				s.Post(s.Started("i-db2"))
				s.Wait(10 * time.Millisecond)
			}
		}, Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1* i-db2"},
		{Name: "it is older than the failure", Scene: short, Tell: func(s *stage) {
			e := s.Started("i-db2")
			s.Wait(time.Second)
			s.Post(s.Failed("i-db2"))
			s.Finish()
			s.Post(e)
		}, Outcomes: "unchanged i-db1, ignored", Holders: "i-db1*", Says: []string{"older than the newest event about i-db2"}},
		{Name: "as old as the failure: failed wins", Scene: short, Tell: func(s *stage) {
			e := s.Started("i-db2")
			s.Post(s.Failed("i-db2"))
			s.Finish()
			s.Post(e)
		}, Outcomes: "unchanged i-db1, ignored", Holders: "i-db1*", Says: []string{"older than the newest event"}},
		{Name: "it has expired", Scene: short, Tell: func(s *stage) {
			e := s.Started("i-db2")
			e.Expiry = time.Now().Add(time.Second)
			s.Wait(time.Second)
			s.Post(e)
		}, Outcomes: "ignored", Holders: "i-db1*", Says: []string{"past its expirytime"}},
	})
}

func TestOutcomeTells(t *testing.T) {
	short := scene{Policy: spare, Holders: []string{"i-db1"}}
	functionstest.Run(t, []functionstest.Story{
		{Name: "that nobody serves", Scene: short, Tell: func(s *stage) {
			s.Silence()
			s.Post(s.Started("i-db2"))
			s.Finish()
			if o := s.Last(); o.Serving != "" || o.EndedAt.Sub(o.StartedAt) < 30*time.Second {
				s.Errorf("%q serves after %s; servingWithin is 30s", o.Serving, o.EndedAt.Sub(o.StartedAt))
			}
		}, Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1 i-db2", Says: []string{"no holder announces the address", "check keepalived on i-db2"}},
		{Name: "that nobody serves, at once", Scene: scene{Policy: spare + ", servingWithin: 0s", Holders: []string{"i-db1"}}, Tell: func(s *stage) {
			s.Silence()
			s.Post(s.Started("i-db2"))
			s.Finish()
			if o := s.Last(); o.Serving != "" || o.EndedAt.Sub(o.StartedAt) > 10*time.Second {
				s.Errorf("%q serves after %s; servingWithin is 0s", o.Serving, o.EndedAt.Sub(o.StartedAt))
			}
		}, Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1 i-db2", Says: []string{"no holder announces the address"}},
		{Name: "the cloud's own no", Scene: short, Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Error: &simulator.FaultError{Code: elsewhere}})
			s.Post(s.Started("i-db2"))
			s.Finish()
			if s.Last().RequestID == "" {
				s.Error("the request id is missing")
			}
		}, Calls: "+i-db2:" + elsewhere, Outcomes: "refused", Holders: "i-db1*",
			Says: []string{"HAVIP and instance must be in the same vSwitch", elsewhere}},
		{Name: "which event began it", Scene: short, Tell: func(s *stage) {
			s.Post(s.Started("i-db2"))
			s.Finish()
			if e := s.Outcomes[0]; e.Type != events.TypeAttached || e.Causation != "e1" || e.Subject != functionstest.Orders {
				s.Errorf("%s %s causation %q", e.Type, e.Subject, e.Causation)
			}
		}, Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1* i-db2"},
	})
}
