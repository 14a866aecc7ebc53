package sweep_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/functions/sweep"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

type (
	stage = functionstest.Stage
	scene = functionstest.Scene
)

const (
	one  = "members: [i-db1, i-db2, i-db3], hold: 1"
	pair = "members: [i-db1, i-db2], hold: 2"
)

func holds(policy string, holders ...string) scene { return scene{Policy: policy, Holders: holders} }

func sweeps(s *stage) {
	s.Post(s.Sweep())
	s.Finish()
}

func TestHoldNotMet(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "nobody holds it", Scene: holds(one), Tell: sweeps,
			Calls: "+i-db1", Outcomes: "attached i-db1", Holders: "i-db1*"},
		{Name: "on Baidu", Scene: scene{Cloud: "baidu", Policy: one}, Tell: sweeps,
			Calls: "+i-db1", Outcomes: "attached i-db1", Holders: "i-db1*"},
		{Name: "one is missing", Scene: holds(pair, "i-db1"), Tell: sweeps,
			Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1* i-db2"},
		{Name: "a holder is down, and its event was lost", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Wait(time.Minute)
			sweeps(s)
		}, Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "two HAVIPs, each with a story of its own", Scene: scene{Policy: one, Users: one}, Tell: sweeps,
			Calls: "+i-db1 +i-db1@users", Outcomes: "attached i-db1, attached i-db1@users", Holders: "i-db1*"},
		{Name: "observe tells what it would do", Scene: holds(one + ", mode: observe"), Tell: sweeps,
			Outcomes: "ignored", Says: []string{"would Attach i-db1"}},
		{Name: "paused is left alone", Scene: holds(one + ", mode: paused"), Tell: sweeps},
		{Name: "it is a failover, which cools down", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			sweeps(s)
			s.Instance("i-db2", havip.Stopped)
			sweeps(s) // no healthy holder: nothing waits
		}, Calls: "+i-db2 -i-db1 +i-db3 -i-db2", Outcomes: "attached i-db2, attached i-db3", Holders: "i-db3*"},
	})
}

func TestAllIsWell(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "one listing, one question for the states, no story", Scene: scene{Policy: one, Holders: []string{"i-db2"}, Users: one + ", mode: paused"},
			Tell: func(s *stage) {
				sweeps(s)
				if calls := s.Clouds.Calls(simulator.CallFilter{}); len(calls) != 2 {
					s.Errorf("%d calls: %+v", len(calls), calls)
				}
			}, Holders: "i-db2*"},
		{Name: "a holder off the roster is not detached", Scene: holds(one, "i-db1", "i-db4"), Tell: sweeps, Holders: "i-db1* i-db4"},
		{Name: "more hold it than should", Scene: holds(one, "i-db1", "i-db2"), Tell: sweeps, Holders: "i-db1* i-db2"},
		{Name: "what was refused is not asked again", Scene: holds("members: [i-db1], hold: 1", "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			for range 5 {
				sweeps(s)
				s.Wait(time.Hour)
			}
		}, Outcomes: "refused, serving.lost", Holders: "i-db1", Says: []string{"none runs", "havip recover orders"}},
		{Name: "until something changed", Scene: holds(pair, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db2", havip.Stopped)
			sweeps(s)
			sweeps(s)
			s.Instance("i-db2", havip.Running)
			sweeps(s)
		}, Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1* i-db2"},
	})
}

func TestLostFollowUps(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "sent again once they are overdue", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			s.LoseFollowUps()
			s.Wait(20 * time.Second)
			sweeps(s)
			if len(s.Outcomes) > 0 {
				s.Error("a follow-up that is 20 seconds late is not lost yet")
			}
			s.Wait(20 * time.Second)
			sweeps(s)
		}, Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "at the deadline the story ends", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			s.LoseFollowUps()
			s.Wait(time.Hour)
			sweeps(s)
		}, Calls: "+i-db2", Outcomes: "timedout i-db2", Holders: "i-db1 i-db2*"},
		{Name: "and the next sweep finishes it", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			s.LoseFollowUps()
			s.Wait(time.Hour)
			sweeps(s)
			sweeps(s)
		}, Calls: "+i-db2 -i-db1", Outcomes: "timedout i-db2, attached i-db2", Holders: "i-db2*"},
	})
}

func TestCloudAway(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "the next sweep asks again", Scene: holds(one), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "DescribeHaVips", Times: 1, Error: &simulator.FaultError{Code: "Throttling.User"}})
			sweeps(s)
			sweeps(s)
		}, Calls: "+i-db1", Outcomes: "attached i-db1", Holders: "i-db1*"},
		{Name: "states that can't be had count as running", Scene: holds(pair, "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "DescribeInstances", Error: &simulator.FaultError{Code: "Forbidden.RAM"}})
			sweeps(s)
		}, Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1* i-db2"},
	})
}

// What nobody's story is has to be told to somebody.
func TestStuckMove(t *testing.T) {
	stuck := func(s *stage) {
		s.Change(simulator.HAVIPChange{Status: new(havip.Associating)})
		sweeps(s)
		s.Wait(4 * time.Minute)
		sweeps(s)
		if len(s.Outcomes) > 0 {
			s.Error("it may still move")
		}
		s.Wait(2 * time.Minute)
	}
	functionstest.Run(t, []functionstest.Story{
		{Name: "by a third party, for longer than a story lasts", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			stuck(s)
			sweeps(s)
		}, Outcomes: "timedout", Holders: "i-db1*", Says: []string{"Associating", "havip story "}},
		{Name: "who asks meanwhile is told to wait", Scene: holds(one), Tell: func(s *stage) {
			s.Change(simulator.HAVIPChange{Status: new(havip.Associating)})
			if v := s.Function.Keeper.Status(s.Context(), functionstest.Orders)[0]; v.Rule != "nobody holds it, and it is Associating" || !strings.HasPrefix(v.Advice, "wait") {
				s.Errorf("%q, %q", v.Rule, v.Advice)
			}
		}},
		{Name: "it ends in time", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			stuck(s)
			s.Change(simulator.HAVIPChange{Status: new(havip.InUse)})
			sweeps(s)
		}, Holders: "i-db1*"},
	})
}

// Who asks is told what is at work, what to do, and which member nobody knows.
func TestStatusLeadsOn(t *testing.T) {
	says := func(s *stage, want string) {
		v := s.Function.Keeper.Status(s.Context(), functionstest.Orders)[0]
		said := strings.Join(v.Wrong, " | ")
		if v.Last != nil {
			said += " | " + v.Last.Advice
		}
		if !strings.Contains(said, want) {
			s.Errorf("it says %q, without %q", said, want)
		}
	}
	functionstest.Run(t, []functionstest.Story{
		{Name: "a story is at it", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Post(s.Started("i-db1"))
			s.Finish()
			s.Silence()
			s.Post(s.Failed("i-db1"))
			says(s, "wait: story ")
			s.Finish()
		}, Calls: "+i-db2 -i-db1", Outcomes: "unchanged i-db1, attached i-db2", Holders: "i-db2"},
		{Name: "a member that the cloud does not know", Scene: holds("members: [i-db1, i-bd2], hold: 1", "i-db1"), Tell: func(s *stage) {
			s.Post(s.Started("i-db1"))
			s.Finish()
			says(s, "the cloud knows no i-bd2")
		}, Outcomes: "unchanged i-db1", Holders: "i-db1*"},
		{Name: "what was refused waits for a person", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Error: &simulator.FaultError{Code: "Forbidden.RAM"}})
			s.Post(s.Failed("i-db1"))
			s.Finish()
			says(s, "no sweep repeats what was refused: once that is mended, run havip recover orders")
		}, Calls: "+i-db2:Forbidden.RAM", Outcomes: "refused", Holders: "i-db1*"},
	})
}

// Nobody's story may be under way when nobody announces the address any more.
func TestServing(t *testing.T) {
	later := func(s *stage) {
		s.Wait(time.Minute)
		sweeps(s)
	}
	functionstest.Run(t, []functionstest.Story{
		{Name: "lost for longer than servingWithin, told once, and once when it is back", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			sweeps(s)
			s.Silence()
			sweeps(s)
			if len(s.Outcomes) > 0 {
				s.Error("VRRP may be about to move it")
			}
			later(s)
			s.Says("no holder announces the address", "check keepalived on i-db1")
			later(s)
			s.Serve("i-db1")
			later(s)
			later(s)
		}, Outcomes: "serving.lost, serving.restored", Holders: "i-db1*"},
		{Name: "on Baidu", Scene: scene{Cloud: "baidu", Policy: one, Holders: []string{"i-db1"}}, Tell: func(s *stage) {
			s.Silence()
			sweeps(s)
			later(s)
		}, Outcomes: "serving.lost", Holders: "i-db1"},
		{Name: "a stranger has it", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Serve("i-db4")
			sweeps(s)
			later(s)
			o := s.Last()
			if o.Serving != "" || o.AnnouncedBy != "stranger" || o.Announcer != "i-db4" || !slices.Equal(o.Holders, []string{"i-db1"}) || o.HAVIP != functionstest.Orders || o.EndedAt.Sub(o.StartedAt) != time.Minute {
				s.Errorf("it says %+v", o)
			}
		}, Outcomes: "serving.lost", Holders: "i-db1", Says: []string{"i-db4, which does not hold it, announces 10.0.0.100", "stop keepalived on i-db4"}},
		{Name: "a gap of a moment is not told", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Silence()
			sweeps(s)
			s.Wait(20 * time.Second)
			sweeps(s)
			s.Serve("i-db1")
			later(s)
		}, Holders: "i-db1*"},
		{Name: "nor do two of them make one", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			for range 3 {
				s.Silence()
				sweeps(s)
				s.Serve("i-db1")
				later(s)
			}
		}, Holders: "i-db1*"},
		{Name: "nor do a gap, a story that ends served, and another one", Scene: holds(one), Tell: func(s *stage) {
			sweeps(s)
			s.Silence()
			later(s)
		}, Calls: "+i-db1", Outcomes: "attached i-db1", Holders: "i-db1"},
		{Name: "another host goes on, and a third one after it was told", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Silence()
			for range 4 {
				s.Function = s.Host(func(*flow.Function) {})
				later(s)
			}
		}, Outcomes: "serving.lost", Holders: "i-db1"},
		{Name: "servingWithin 0s waits for nobody", Scene: holds(one+", servingWithin: 0s", "i-db1"), Tell: func(s *stage) {
			s.Silence()
			sweeps(s)
			later(s)
		}, Outcomes: "serving.lost", Holders: "i-db1"},
		{Name: "while a story is under way", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Error: &simulator.FaultError{Code: "Throttling.User"}})
			s.Post(s.Failed("i-db1"))
			for range 3 {
				s.Wait(time.Minute)
				s.Post(s.Sweep())
			}
			s.Clouds.ClearFaults()
			s.Finish()
			later(s)
		}, Calls: "+i-db2:Throttling.User*24 +i-db2 -i-db1", Outcomes: "serving.lost, attached i-db2, serving.restored", Holders: "i-db2*"},
		{Name: "observe tells", Scene: holds(one+", mode: observe", "i-db1"), Tell: func(s *stage) {
			s.Silence()
			sweeps(s)
			later(s)
		}, Outcomes: "serving.lost", Holders: "i-db1"},
		{Name: "the cloud names a holder, whose address was removed", Scene: holds(one+", probe: icmp", "i-db1"), Tell: func(s *stage) {
			probed(s, errors.New("no answer in time"))
			sweeps(s)
			if by := announcedBy(s); by != havip.ByMute {
				s.Errorf("the status says %s", by)
			}
			later(s)
			o := s.Last()
			if o.Serving != "" || o.AnnouncedBy != "mute" || o.Announcer != "i-db1" || o.Probe != havip.Unreachable {
				s.Errorf("it says %+v", o)
			}
			s.Says("10.0.0.100 does not answer icmp: no answer in time, though the cloud names i-db1", "restart keepalived there")
			probed(s, havip.NotAsked("HAVIP_PROBE=off"))
			later(s) // a process that can't ask knows nothing better
			probed(s, nil)
			later(s)
			if by := announcedBy(s); by != havip.ByHolder {
				s.Errorf("the status says %s", by)
			}
		}, Outcomes: "serving.lost, serving.restored", Holders: "i-db1*"},
		{Name: "a story that ends so is the first to see it", Scene: holds(one+", probe: icmp", "i-db1"), Tell: func(s *stage) {
			probed(s, errors.New("no answer in time"))
			s.Post(s.Started("i-db1"))
			if by := announcedBy(s); by != havip.ByMute {
				s.Errorf("the status says %s", by)
			}
			later(s)
		}, Outcomes: "unchanged i-db1, serving.lost", Holders: "i-db1*"},
		{Name: "and one that ends well the first to see that it is over", Scene: holds(one+", probe: icmp", "i-db1"), Tell: func(s *stage) {
			probed(s, errors.New("no answer in time"))
			sweeps(s)
			probed(s, nil)
			s.Post(s.Started("i-db1"))
			if by := announcedBy(s); by != havip.ByHolder {
				s.Errorf("the status says %s", by)
			}
			later(s)
		}, Outcomes: "unchanged i-db1", Holders: "i-db1*"},
		{Name: "a look that asks nobody ends nothing", Scene: holds(one+", probe: icmp", "i-db1"), Tell: func(s *stage) {
			probed(s, errors.New("no answer in time"))
			sweeps(s)
			s.Change(simulator.HAVIPChange{Status: new(havip.Associating)})
			s.Post(s.Started("i-db1"))
			if by := announcedBy(s); by != havip.ByMute {
				s.Errorf("the status says %s", by)
			}
			s.Change(simulator.HAVIPChange{Status: new(havip.InUse)})
			later(s)
		}, Outcomes: "unchanged i-db1, serving.lost", Holders: "i-db1*"},
		{Name: "nobody asks who serves no more, once the roster wants no probe", Scene: holds(one+", probe: icmp", "i-db1"), Tell: func(s *stage) {
			probed(s, errors.New("no answer in time"))
			sweeps(s)
			later(s)
			s.Edit(func(s *scene) { s.Policy = one })
			later(s)
		}, Outcomes: "serving.lost, serving.restored", Holders: "i-db1*"},
		{Name: "paused does not", Scene: holds(one+", mode: paused", "i-db1"), Tell: func(s *stage) {
			s.Silence()
			sweeps(s)
			later(s)
		}, Holders: "i-db1"},
	})
}

func probed(s *stage, finds error) {
	s.Function = s.Host(func(f *flow.Function) {
		f.Keeper.Probe = func(context.Context, havip.Probe, netip.Addr) error { return finds }
	})
}

func announcedBy(s *stage) havip.AnnouncedBy {
	return s.Function.Keeper.Status(s.Context(), functionstest.Orders)[0].AnnouncedBy
}

func TestDrift(t *testing.T) {
	functionstest.Play(t, holds(one, "i-db1", "i-db4"), func(s *stage) {
		f := sweep.Function{Keeper: s.Function.Keeper}
		var notes []string
		for range 2 { // it is told once
			swept, err := f.Handle(s.Context(), s.Sweep(), events.Sweep{})
			if err != nil {
				s.Fatal(err)
			}
			for _, a := range swept {
				notes = append(notes, a.Note)
			}
		}
		if len(notes) != 1 || !strings.Contains(notes[0], "orders is held by i-db4, off the roster") {
			s.Errorf("the notes are %q", notes)
		}
		s.Want("", "", "i-db1* i-db4")
	})
}

// A sweep of a single HAVIP leaves the others alone.
func TestNamed(t *testing.T) {
	functionstest.Play(t, scene{Policy: one, Users: one}, func(s *stage) {
		s.Post(s.SweepOf("users"))
		s.Want("+i-db1@users", "attached i-db1@users", "")
	})
}
