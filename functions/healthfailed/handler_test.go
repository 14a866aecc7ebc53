package healthfailed_test

import (
	"strings"
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
	fault = simulator.FaultError
)

const (
	pair  = "members: [i-db1, i-db2], hold: 2"
	three = "members: [i-db1, i-db2, i-db3], hold: 2"
	one   = "members: [i-db1, i-db2, i-db3], hold: 1"
)

func holds(policy string, holders ...string) scene { return scene{Policy: policy, Holders: holders} }

// stops tells that each instance stopped, one after the other.
func stops(instances ...string) func(*stage) {
	return func(s *stage) {
		for _, i := range instances {
			s.Instance(i, havip.Stopped)
			s.Post(s.Failed(i))
			s.Finish()
		}
	}
}

// sickens tells that an instance runs, serves perhaps, and is not well.
func sickens(instance string) func(*stage) {
	return func(s *stage) { s.Post(s.Failed(instance)) }
}

func TestChoice(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "a full pair: the failed one goes first", Scene: holds(three, "i-db1", "i-db2"), Tell: stops("i-db1"),
			Calls: "-i-db1 +i-db3", Outcomes: "attached i-db3", Holders: "i-db2* i-db3"},
		{Name: "where there is room attach comes first", Scene: holds(one, "i-db1"), Tell: stops("i-db1"),
			Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "on Baidu there is", Scene: scene{Cloud: "baidu", Policy: three, Holders: []string{"i-db1", "i-db2"}}, Tell: stops("i-db1"),
			Calls: "+i-db3 -i-db1", Outcomes: "attached i-db3", Holders: "i-db2* i-db3"},
		{Name: "one after the other failed", Scene: holds(one, "i-db1"), Tell: stops("i-db2", "i-db1"),
			Calls: "+i-db3 -i-db1", Outcomes: "unchanged i-db1, attached i-db3", Holders: "i-db3*"},
		{Name: "a stopped member is passed over", Scene: scene{
			Policy: one, Holders: []string{"i-db1"}, States: map[string]havip.InstanceState{"i-db2": havip.Stopped},
		}, Tell: stops("i-db1"), Calls: "+i-db3 -i-db1", Outcomes: "attached i-db3", Holders: "i-db3*"},
		{Name: "one that only starts comes last", Scene: scene{
			Policy: one, Holders: []string{"i-db1"}, States: map[string]havip.InstanceState{"i-db2": havip.Starting},
		}, Tell: stops("i-db1"), Calls: "+i-db3 -i-db1", Outcomes: "attached i-db3", Holders: "i-db3*"},
		{Name: "unknown health counts as healthy", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "DescribeInstances", Error: &fault{Code: "Forbidden.RAM"}})
			stops("i-db1")(s)
		}, Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "a mark counts for no longer than a day", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Post(s.Failed("i-db2"))
			s.Wait(24*time.Hour + time.Second)
			stops("i-db1")(s)
		}, Calls: "+i-db2 -i-db1", Outcomes: "unchanged i-db1, attached i-db2", Holders: "i-db2*"},
		{Name: "an interface, named by its instance", Scene: scene{
			Policy:  "instanceType: NetworkInterface, members: [{id: eni-1, instance: i-db1}, {id: eni-2, instance: i-db2}], hold: 1",
			Holders: []string{"eni-1"},
		}, Tell: stops("i-db1"), Calls: "+eni-2 -eni-1", Outcomes: "attached eni-2", Holders: "eni-2*"},
		{Name: "on two HAVIPs", Scene: scene{Policy: one, Holders: []string{"i-db1"}, Users: "members: [i-db1, i-db3], hold: 1"}, Tell: stops("i-db1"),
			Calls: "+i-db2 +i-db3@users -i-db1", Outcomes: "attached i-db3@users, attached i-db2", Holders: "i-db2*"},
		{Name: "off the roster", Scene: holds(one, "i-db1"), Tell: stops("i-db4"),
			Outcomes: "refused", Holders: "i-db1*", Says: []string{"i-db4 is not on the roster"}},
	})
}

func TestNoSpare(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "the keepalived pair stays as it is, and the outcome names who serves", Scene: holds(pair, "i-db1", "i-db2"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Wait(4 * time.Second)
			s.Post(s.Failed("i-db1"))
			s.Finish()
			if o := s.Last(); o.Serving != "i-db2" || !o.Released {
				s.Errorf("the outcome says %+v", o)
			}
		}, Outcomes: "unchanged i-db2", Holders: "i-db1 i-db2*"},
		{Name: "no healthy holder: refused, nothing is detached", Scene: holds(pair, "i-db1", "i-db2"), Tell: stops("i-db1", "i-db2"),
			Outcomes: "unchanged i-db2, refused", Holders: "i-db1 i-db2",
			Says: []string{"no healthy holder, and no standby that runs", "start a member, or add one to the roster"}},
		{Name: "the only spare is stopped", Scene: scene{
			Policy: "members: [i-db1, i-db2], hold: 1", Holders: []string{"i-db1"}, States: map[string]havip.InstanceState{"i-db2": havip.Stopped},
		}, Tell: stops("i-db1"), Outcomes: "refused", Holders: "i-db1", Says: []string{"no standby that runs", "start a member"}},
		{Name: "the only holder is guarded and leaves no room", Scene: holds("members: [i-db1, i-db2], hold: 1, limit: 1", "i-db1"), Tell: sickens("i-db1"),
			Outcomes: "refused", Holders: "i-db1*", Says: []string{"only holder and serves", "havip recover orders --release i-db1 --force"}},
	})
}

// With every member marked but running, starting one is no advice.
func TestWhoRunsButIsMarkedIsVouchedFor(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "the advice works as it stands", Scene: holds(pair, "i-db1", "i-db2"), Tell: func(s *stage) {
			s.Post(s.Failed("i-db1"))
			s.Finish()
			s.Post(s.Failed("i-db2"))
		}, Outcomes: "unchanged i-db2, refused", Holders: "i-db1* i-db2", Says: []string{
			"every standby that runs is marked as failed",
			"havip send health.restored --cloud alibaba --region cn-hangzhou --instance i-db1",
		}},
		{Name: "nor does it say who runs where that can't be read", Scene: holds(pair, "i-db1", "i-db2"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "DescribeInstances", Error: &fault{Code: "Forbidden.RAM"}})
			s.Post(s.Failed("i-db1"))
			s.Finish()
			s.Post(s.Failed("i-db2"))
		}, Outcomes: "unchanged i-db2, refused", Holders: "i-db1* i-db2", Says: []string{
			"every standby is marked as failed; which of them run can't be read", "Forbidden.RAM",
		}},
	})
}

// An open story says why it waits, and an ended one what happened when.
func TestAStoryTellsWhatItsLooksRead(t *testing.T) {
	functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
		began := time.Now()
		s.Post(s.Failed("i-db1"))
		s.Wait(time.Minute)
		r := s.Record()
		if waits := r.Story.Waits(); !strings.Contains(waits, "i-db1 still serves") || !r.Story.Unreleased {
			t.Errorf("the open story waits because %q, unreleased %v", waits, r.Story.Unreleased)
		}
		s.Finish()
		looks := s.Record().Story.Looks
		for i, g := range looks {
			if late := g.At.Sub(began); late < 0 || late > time.Minute || i > 0 && g.At.Before(looks[i-1].At) {
				t.Errorf("look %d was at %s of its story", g.Attempt, late)
			}
		}
		if n := len(looks); n < 3 || looks[0].Want.Instance != "i-db2" || looks[1].Status != havip.Associating {
			t.Errorf("the looks are %+v", looks)
		}
	})
}

func TestOnHealthFailed(t *testing.T) {
	alone := func(policy string) scene { return holds(one+", onHealthFailed: "+policy, "i-db1") }
	full := func(policy string) scene { return holds(three+", onHealthFailed: "+policy, "i-db1", "i-db2") }
	functionstest.Run(t, []functionstest.Story{
		{Name: "add releases nobody", Scene: alone("add"), Tell: stops("i-db1"),
			Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1 i-db2*"},
		{Name: "not even where it is full", Scene: full("add"), Tell: stops("i-db1"),
			Outcomes: "refused", Holders: "i-db1 i-db2", Says: []string{"2 of at most 2", "--release"}},
		{Name: "replace waits for VRRP", Scene: alone("replace"), Tell: func(s *stage) {
			s.Post(s.Failed("i-db1"))
			s.Wait(time.Minute)
			s.Serve("i-db2")
		}, Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "and says at the deadline that it was not released", Scene: alone("replace"), Tell: func(s *stage) {
			s.Post(s.Failed("i-db1"))
			s.Finish()
			if s.Last().Released {
				s.Error("the outcome says that it was")
			}
		}, Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1* i-db2",
			Says: []string{"i-db1 still serves", "stop keepalived on it, or run havip recover orders --release i-db1 --force"}},
		{Name: "unchanged where the story did nothing", Scene: holds("members: [i-db1, i-db2], hold: 1", "i-db1", "i-db2"), Tell: func(s *stage) {
			s.Post(s.Failed("i-db1"))
			s.Finish()
			if s.Last().Released {
				s.Error("the outcome says that it was released")
			}
		}, Outcomes: "unchanged i-db2", Holders: "i-db1* i-db2", Says: []string{"i-db1 still serves"}},
		{Name: "full and guarded: no call before the deadline, and none after", Scene: full("replace"), Tell: sickens("i-db1"),
			Outcomes: "timedout", Holders: "i-db1* i-db2", Says: []string{"not done before the deadline"}},
		{Name: "forceReplace detaches a master", Scene: full("forceReplace"), Tell: sickens("i-db1"),
			Calls: "-i-db1! +i-db3", Outcomes: "attached i-db3", Holders: "i-db2* i-db3"},
		{Name: "after its successor is there", Scene: alone("forceReplace"), Tell: sickens("i-db1"),
			Calls: "+i-db2 -i-db1!", Outcomes: "attached i-db2", Holders: "i-db2*"},
	})
}

func TestModes(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "observe tells what it would do", Scene: holds(one+", mode: observe", "i-db1"), Tell: stops("i-db1"),
			Outcomes: "ignored", Holders: "i-db1", Says: []string{"would Attach i-db2"}},
		{Name: "paused remembers the mark all the same", Scene: holds(one+", mode: paused", "i-db1"), Tell: func(s *stage) {
			stops("i-db1")(s)
			r, _, err := havip.Load[havip.Record](s.Context(), s.Ledger, "alibaba.cn-hangzhou."+functionstest.Orders)
			if err != nil || !r.Marks["i-db1"].Failed {
				s.Errorf("the marks are %v, %v", r.Marks, err)
			}
		}, Outcomes: "ignored", Holders: "i-db1", Says: []string{"orders is paused"}},
	})
}

func TestRestored(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "there is no automatic fail-back", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			stops("i-db1")(s)
			s.Instance("i-db1", havip.Running)
			s.Wait(time.Hour)
			s.Post(s.Restored("i-db1"))
		}, Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2, unchanged i-db2", Holders: "i-db2*"},
		{Name: "it is attached where the hold is short", Scene: holds(pair, "i-db1"), Tell: func(s *stage) {
			s.Post(s.Failed("i-db2"))
			s.Finish()
			s.Wait(time.Second)
			s.Post(s.Restored("i-db2"))
		}, Calls: "+i-db2", Outcomes: "unchanged i-db1, attached i-db2", Holders: "i-db1* i-db2"},
		{Name: "an old word of it changes nothing", Scene: holds(pair, "i-db1"), Tell: func(s *stage) {
			e := s.Restored("i-db2")
			s.Wait(time.Second)
			s.Post(s.Failed("i-db2"))
			s.Finish()
			s.Post(e)
		}, Outcomes: "unchanged i-db1, ignored", Holders: "i-db1*", Says: []string{"older than the newest event"}},
	})
}

func TestChangeNothing(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "a duplicate, late", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			e := s.Failed("i-db1")
			s.Post(e)
			s.Finish()
			s.Wait(20 * time.Hour)
			s.Post(e)
		}, Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "older than its start, by another clock", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Wait(time.Hour)
			s.Post(s.Started("i-db1"))
			e := s.Failed("i-db1")
			e.Time = e.Time.Add(-time.Minute)
			s.Post(e)
		}, Outcomes: "unchanged i-db1, ignored", Holders: "i-db1*", Says: []string{"older than the newest event about i-db1"}},
		{Name: "past its expirytime", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			e := s.Failed("i-db1")
			e.Expiry = time.Now()
			s.Post(e)
		}, Outcomes: "ignored", Holders: "i-db1*", Says: []string{"past its expirytime"}},
		{Name: "an outcome of ours that comes back", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Post(s.Event(events.Outcome{Cloud: "alibaba", Region: "cn-hangzhou", HAVIP: functionstest.Orders, Story: "s", Outcome: "attached"}))
		}, Holders: "i-db1*"},
	})
}

// While VRRP moves the address by itself, to another holder, nobody is told that none
// announces it.
func TestVRRPIsGivenItsTime(t *testing.T) {
	functionstest.Play(t, holds("members: [i-db1, i-db2], hold: 1, onHealthFailed: add", "i-db1", "i-db2"), func(s *stage) {
		s.Instance("i-db1", havip.Stopped)
		s.Post(s.Failed("i-db1"))
		s.Finish()
		if o := s.Last(); o.Serving != "i-db2" || o.Rule != "" {
			s.Errorf("it ends as %+v", o)
		}
	})
}
