package recovery_test

import (
	"testing"
	"time"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

type (
	stage   = functionstest.Stage
	scene   = functionstest.Scene
	request = events.Recover
)

const (
	one  = "members: [i-db1, i-db2, i-db3], hold: 1"
	pair = "members: [i-db1, i-db2, i-db3], hold: 2"
)

func holds(policy string, holders ...string) scene { return scene{Policy: policy, Holders: holders} }

func onBaidu(s scene) scene { s.Cloud = "baidu"; return s }

// asks tells that a person asks for something.
func asks(r request) func(*stage) {
	return func(s *stage) { s.Post(s.Recover(r)) }
}

func TestAttach(t *testing.T) {
	stopped := holds(one, "i-db1")
	stopped.States = map[string]havip.InstanceState{"i-db2": havip.Stopped}
	functionstest.Run(t, []functionstest.Story{
		{Name: "what is omitted is chosen", Scene: holds(pair, "i-db2"), Tell: asks(request{}),
			Calls: "+i-db1", Outcomes: "attached i-db1", Holders: "i-db1 i-db2*"},
		{Name: "the one that is named comes first", Scene: holds(one), Tell: asks(request{Instance: "i-db3"}),
			Calls: "+i-db3", Outcomes: "attached i-db3", Holders: "i-db3*"},
		{Name: "even where the hold is met", Scene: holds(one, "i-db1"), Tell: asks(request{Instance: "i-db3"}),
			Calls: "+i-db3", Outcomes: "attached i-db3", Holders: "i-db1* i-db3"},
		{Name: "it holds already", Scene: holds(one, "i-db1"), Tell: asks(request{Instance: "i-db1"}),
			Outcomes: "unchanged i-db1", Holders: "i-db1*"},
		{Name: "a stopped one, if a person names it", Scene: stopped, Tell: asks(request{Instance: "i-db2"}),
			Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1* i-db2"},
		{Name: "but it is not chosen", Scene: stopped, Tell: asks(request{Release: "i-db1", Force: true}),
			Calls: "+i-db3 -i-db1!", Outcomes: "attached i-db3", Holders: "i-db3*"},
		{Name: "one that counts as failed", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Post(s.Failed("i-db2"))
			s.Finish()
			asks(request{Instance: "i-db2"})(s)
		}, Calls: "+i-db2", Outcomes: "unchanged i-db1, attached i-db2", Holders: "i-db1* i-db2"},
		{Name: "an interface, named by its instance", Scene: scene{
			Policy: "instanceType: NetworkInterface, members: [{id: eni-1, instance: i-db1}, {id: eni-2, instance: i-db2}]",
		}, Tell: asks(request{Instance: "i-db2", HAVIP: "orders"}),
			Calls: "+eni-2", Outcomes: "attached eni-2", Holders: "eni-2*"},
	})
}

func TestRelease(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "the one that stays is chosen", Scene: holds(one, "i-db1", "i-db2"), Tell: asks(request{Release: "i-db2"}),
			Calls: "-i-db2", Outcomes: "attached i-db1", Holders: "i-db1*"},
		{Name: "its successor is, and attached first", Scene: onBaidu(holds(one, "i-db1")), Tell: asks(request{Release: "i-db1"}),
			Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "a master without force: VRRP is waited for, and the outcome says so", Scene: holds(one, "i-db1", "i-db2"), Tell: func(s *stage) {
			asks(request{Release: "i-db1"})(s)
			s.Finish()
			if s.Last().Released {
				s.Error("the outcome says that it was released")
			}
		}, Outcomes: "unchanged i-db2", Holders: "i-db1* i-db2", Says: []string{"i-db1 still serves", "--force"}},
		{Name: "a master with force", Scene: holds(one, "i-db1", "i-db2"), Tell: asks(request{Release: "i-db1", Force: true}),
			Calls: "-i-db1!", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "one that holds nothing", Scene: holds(one, "i-db1"), Tell: asks(request{Release: "i-db2"}),
			Outcomes: "unchanged i-db1", Holders: "i-db1*"},
		{Name: "the last healthy holder", Scene: holds("members: [i-db1], hold: 1", "i-db1"), Tell: asks(request{Release: "i-db1", Force: true}),
			Outcomes: "refused", Holders: "i-db1*", Says: []string{"i-db1"}},
		{Name: "in favour of itself", Scene: holds(one, "i-db1"), Tell: asks(request{Instance: "i-db1", Release: "i-db1"}),
			Outcomes: "refused", Holders: "i-db1*", Says: []string{"the instance to attach is the one to release", "name another --instance"}},
	})
}

// With limit 1 a handover leaves the address without a holder for a while.
func TestHandoverWithoutRoom(t *testing.T) {
	const single = "members: [i-db1, i-db2], hold: 1, limit: 1"
	over := request{Instance: "i-db2", Release: "i-db1"}
	gap, forced := over, over
	gap.AllowGap = true
	forced.AllowGap, forced.Force = true, true
	functionstest.Run(t, []functionstest.Story{
		{Name: "refused without allowGap", Scene: onBaidu(holds(single, "i-db1")), Tell: asks(over),
			Outcomes: "refused", Holders: "i-db1*", Says: []string{"i-db1 is the last healthy holder", "--allow-gap"}},
		{Name: "done with it", Scene: onBaidu(holds(single, "i-db1")), Tell: asks(gap),
			Calls: "-i-db1 +i-db2", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "on Alibaba a master needs force too", Scene: holds(single, "i-db1"), Tell: asks(forced),
			Calls: "-i-db1! +i-db2", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "and is refused without", Scene: holds(single, "i-db1"), Tell: asks(gap),
			Outcomes: "refused", Holders: "i-db1*", Says: []string{"only holder and serves", "--force"}},
	})
}

func TestRefused(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "an instance off the roster", Scene: holds(one, "i-db1"), Tell: asks(request{Instance: "i-db4"}),
			Outcomes: "refused", Holders: "i-db1*", Says: []string{"i-db4 is not a member of orders"}},
		{Name: "a HAVIP off the roster", Scene: holds(one, "i-db1"), Tell: asks(request{HAVIP: functionstest.Users}),
			Outcomes: "refused@users", Holders: "i-db1*", Says: []string{"havip-users is not on the roster", "add the HAVIP"}},
		{Name: "full of healthy holders", Scene: holds(pair, "i-db1", "i-db2"), Tell: asks(request{Instance: "i-db3"}),
			Outcomes: "refused", Holders: "i-db1* i-db2", Says: []string{"2 of at most 2", "havip recover orders --instance i-db3 --release i-db1"}},
		{Name: "by the cloud: what a person named is theirs to mend", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Error: &simulator.FaultError{Code: "CountLimitExceed.HaVipOnInstance"}})
			asks(request{Instance: "i-db2"})(s)
		}, Calls: "+i-db2:CountLimitExceed.HaVipOnInstance", Outcomes: "refused", Holders: "i-db1*",
			Says: []string{"CountLimitExceed.HaVipOnInstance", "release another HAVIP"}},
	})
}

func TestAmongOthers(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "it ends another story, whose call goes on", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Post(s.Failed("i-db1"))
			s.Wait(time.Second) // the attach of i-db2 is under way
			asks(request{Instance: "i-db2", Release: "i-db1", Force: true})(s)
		}, Calls: "+i-db2 -i-db1!", Outcomes: "superseded, attached i-db2", Holders: "i-db2*"},
		{Name: "the newest person is heard", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			asks(request{Instance: "i-db3"})(s)
			s.Wait(time.Second)
			asks(request{Instance: "i-db2", Release: "i-db3"})(s)
		}, Calls: "+i-db3 -i-db3 +i-db2", Outcomes: "superseded, attached i-db2", Holders: "i-db1* i-db2"},
		{Name: "facts join it, and are looked at when it is over", Scene: onBaidu(holds(one, "i-db1")), Tell: func(s *stage) {
			asks(request{Instance: "i-db2"})(s)
			s.Wait(time.Second)
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
		}, Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2, unchanged i-db2", Holders: "i-db2*"},
		{Name: "which mends what the person could not know", Scene: onBaidu(holds(one, "i-db1")), Tell: func(s *stage) {
			asks(request{Instance: "i-db2", Release: "i-db1"})(s)
			s.Wait(time.Second)
			s.Instance("i-db2", havip.Stopped)
			s.Post(s.Failed("i-db2"))
		}, Calls: "+i-db2 -i-db2", Outcomes: "refused i-db2, attached i-db1", Holders: "i-db1*"},
		{Name: "once, and not where none did", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			asks(request{Instance: "i-db2"})(s)
			s.Wait(time.Second)
			s.Post(s.Sweep())
		}, Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1* i-db2"},
		{Name: "no cool-down holds it back", Scene: onBaidu(holds(one, "i-db1")), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			s.Finish()
			began := time.Now()
			asks(request{Release: "i-db2"})(s)
			s.Finish()
			if took := time.Since(began); took > 20*time.Second {
				s.Errorf("it took %s", took)
			}
		}, Calls: "+i-db2 -i-db1 +i-db3 -i-db2", Outcomes: "attached i-db2, attached i-db3", Holders: "i-db3*"},
	})
}

func TestChangeNothing(t *testing.T) {
	dry := request{Instance: "i-db2", Release: "i-db1", DryRun: true}
	functionstest.Run(t, []functionstest.Story{
		{Name: "a dry run tells the first step", Scene: holds(one, "i-db1"), Tell: asks(dry),
			Outcomes: "ignored", Holders: "i-db1*", Says: []string{"dry run", `would Attach, instance "i-db2", release "i-db1"`}},
		{Name: "or why there is none", Scene: holds(pair, "i-db1", "i-db2"), Tell: asks(request{Instance: "i-db3", DryRun: true}),
			Outcomes: "ignored", Holders: "i-db1* i-db2", Says: []string{"would Refuse", "2 of at most 2"}},
		{Name: "or that the cloud does not say", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "DescribeHaVips", Error: &simulator.FaultError{Code: "Forbidden.RAM"}})
			asks(dry)(s)
		}, Outcomes: "ignored", Holders: "i-db1*", Says: []string{"can't tell", "Forbidden.RAM"}},
		{Name: "it leaves an open story alone", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			s.Wait(time.Second)
			asks(dry)(s)
		}, Calls: "+i-db2 -i-db1", Outcomes: "ignored, attached i-db2", Holders: "i-db2*"},
		{Name: "paused stops a person too", Scene: holds(one+", mode: paused", "i-db1"), Tell: asks(request{Instance: "i-db2"}),
			Outcomes: "ignored", Holders: "i-db1*", Says: []string{"orders is paused", "set its mode to act"}},
		{Name: "observe tells what it would do", Scene: holds(one+", mode: observe", "i-db1"), Tell: asks(request{Instance: "i-db2"}),
			Outcomes: "ignored", Holders: "i-db1*", Says: []string{"would Attach i-db2"}},
		{Name: "a person's slip of the finger", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			e := s.Recover(request{Instance: "i-db2"})
			s.Post(e)
			s.Post(e)
			s.Finish()
			s.Post(e)
		}, Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1* i-db2"},
	})
}

func TestOutcomeNamesTheActor(t *testing.T) {
	functionstest.Play(t, holds(one), func(s *stage) {
		s.Post(s.Recover(request{Reason: "drill"}))
		s.Finish()
		if o := s.Last(); o.Actor != "ops" || o.Calls != 1 || o.Roster == "" {
			s.Errorf("the outcome is %+v", o)
		}
	})
}
