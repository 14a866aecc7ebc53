package havip_test

import (
	"context"
	"testing"
	"time"

	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// What happens between a call and its answer, and what a story tries in which order.

// beside is a cloud that tells a test of each call before it is sent; an error is
// its answer.
type beside struct {
	havip.Cloud
	sent func(ctx context.Context, step havip.Step, c havip.Call) error
}

// Attach implements [havip.Cloud].
func (b beside) Attach(ctx context.Context, c havip.Call) (havip.Receipt, error) {
	if err := b.sent(ctx, havip.Attach, c); err != nil {
		return havip.Receipt{}, err
	}
	return b.Cloud.Attach(ctx, c)
}

// Detach implements [havip.Cloud].
func (b beside) Detach(ctx context.Context, c havip.Call) (havip.Receipt, error) {
	if err := b.sent(ctx, havip.Detach, c); err != nil {
		return havip.Receipt{}, err
	}
	return b.Cloud.Detach(ctx, c)
}

// listen has a test told of the calls of its host.
func listen(s *stage, sent func(ctx context.Context, step havip.Step, c havip.Call) error) {
	s.Function = s.Host(func(f *flow.Function) {
		open := f.Keeper.Clouds
		f.Keeper.Clouds = func(ctx context.Context, p havip.Policy, session string) (havip.Cloud, havip.Fleet, error) {
			cloud, fleet, err := open(ctx, p, session)
			return beside{cloud, sent}, fleet, err
		}
	})
}

// once does something at the first call.
func once(do func()) func(context.Context, havip.Step, havip.Call) error {
	done := false
	return func(context.Context, havip.Step, havip.Call) error {
		if !done {
			done = true
			do()
		}
		return nil
	}
}

// A sweep finds the address unserved while our call is under way: that stays known.
func TestAnOutageSeenDuringACallStays(t *testing.T) {
	functionstest.Play(t, holds(one+", servingWithin: 0s", "i-db1"), func(s *stage) {
		s.Instance("i-db1", havip.Stopped)
		listen(s, once(func() { s.Post(s.Sweep()) }))
		s.Post(s.Failed("i-db1"))
		s.Finish()
		s.Wait(time.Minute)
		s.Post(s.Sweep())
		s.Want("+i-db2 -i-db1", "serving.lost, attached i-db2, serving.restored", "i-db2*")
	})
}

// A sweep that began before a look, and comes to its write after it, tells nothing that
// the look knows better.
func TestASlowSweepTellsNoOldNews(t *testing.T) {
	functionstest.Play(t, holds(one+", servingWithin: 0s", "i-db1"), func(s *stage) {
		began := time.Now()
		s.Wait(time.Second)
		s.Post(s.Started("i-db1"))
		s.Finish()
		s.Silence()
		sweep := havip.Event{EventRef: havip.EventRef{Source: "test", ID: "slow"}, Ask: havip.Ask{Kind: havip.AskSweep}, Arrived: began}
		if _, err := s.Function.Keeper.Sweep(s.Context(), sweep); err != nil {
			s.Fatal(err)
		}
		if o := record(s).Outage; o != nil {
			s.Errorf("it tells of an outage since %v", o.Since)
		}
		s.Post(s.Sweep())
		if record(s).Outage == nil {
			s.Error("one of now tells of none")
		}
	})
}

// A person freezes the HAVIP while our call is under way: it stays frozen.
func TestAFreezeDuringACallStays(t *testing.T) {
	functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
		s.Instance("i-db1", havip.Stopped)
		listen(s, once(func() {
			_, err := s.Function.Keeper.Freeze(s.Context(), "", havip.Freeze{Until: time.Now().Add(time.Hour), Reason: "work", Actor: "ops"})
			if err != nil {
				s.Error(err)
			}
		}))
		s.Post(s.Failed("i-db1"))
		s.Finish()
		s.Wait(5 * time.Second) // i-db2 takes over
		if f := record(s).Frozen; f == nil || f.Actor != "ops" {
			s.Errorf("frozen is %+v", f)
		}
		s.Want("+i-db2", "ignored i-db2", "i-db1 i-db2*") // not one step more
	})
}

// A fact that arrives while a person's call is under way has its say once that is
// done.
func TestAFactDuringACallIsNotLost(t *testing.T) {
	functionstest.Play(t, holds(one), func(s *stage) {
		listen(s, once(func() {
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
		}))
		s.Post(s.Recover(request{Instance: "i-db1"}))
		s.Finish()
		if s.Calls() == "+i-db1" || s.Holders() == "i-db1" {
			s.Errorf("after %q it is held by %q; %+v", s.Calls(), s.Holders(), s.Last())
		}
	})
}

// Nobody healthy holds it: the call goes before others. Somebody does: it waits.
func TestUrgency(t *testing.T) {
	for name, tt := range map[string]struct {
		tell func(*stage)
		want havip.Urgency
	}{
		"nobody serves":  {func(s *stage) { s.Instance("i-db1", havip.Stopped); s.Post(s.Failed("i-db1")) }, havip.Urgent},
		"somebody does":  {func(s *stage) { s.Post(s.Started("i-db2")) }, havip.Routine},
		"one of several": {func(s *stage) { s.Instance("i-db2", havip.Stopped); s.Post(s.Failed("i-db2")) }, havip.Routine},
	} {
		t.Run(name, func(t *testing.T) {
			functionstest.Play(t, scene{Policy: "members: [i-db1, i-db2, i-db3], hold: 2, limit: 3", Holders: []string{"i-db1"}}, func(s *stage) {
				var got []havip.Urgency
				listen(s, func(ctx context.Context, _ havip.Step, _ havip.Call) error {
					got = append(got, havip.UrgencyOf(ctx))
					return nil
				})
				tt.tell(s)
				if len(got) == 0 || got[0] != tt.want {
					s.Errorf("the calls are %v, want %v first", got, tt.want)
				}
			})
		})
	}
}

// The same step again in the same story is another one where the first had its
// effect: with its old token the cloud would only repeat its answer.
func TestAStepThatWasUndoneHasAFreshToken(t *testing.T) {
	functionstest.Play(t, holds(one), func(s *stage) {
		s.Silence()
		s.Post(s.Recover(request{Instance: "i-db1"}))
		s.Wait(8 * time.Second) // attached; somebody is to announce it yet
		cloud, _, err := s.Function.Keeper.Clouds(s.Context(), s.Function.Keeper.Roster.Policies()[0], "by hand")
		if err == nil {
			_, err = cloud.Detach(s.Context(), havip.Call{HAVIP: functionstest.Orders, Instance: "i-db1", InstanceType: "EcsInstance", Token: "by-hand"})
		}
		if err != nil {
			s.Fatal(err)
		}
		s.Want("+i-db1 -i-db1 +i-db1", "attached i-db1", "i-db1")
		calls := s.Changes()
		if first, second := calls[0].Params["ClientToken"], calls[2].Params["ClientToken"]; first == second || first == "" {
			s.Errorf("both attach calls have the token %q", first)
		}
	})
}

// Where every candidate was busy all are tried again, in turn: none is tried for
// ever while another has come back.
func TestBusyCandidatesTakeTurns(t *testing.T) {
	functionstest.Play(t, holds("members: [i-db1, i-db2, i-db3, i-db4], hold: 1", "i-db1"), func(s *stage) {
		s.Instance("i-db1", havip.Stopped)
		tries := map[string]int{}
		listen(s, func(_ context.Context, step havip.Step, c havip.Call) error {
			if step != havip.Attach {
				return nil
			}
			tries[c.Instance]++
			if c.Instance == "i-db4" && tries["i-db4"] > 1 {
				return nil
			}
			return &havip.Error{Kind: havip.ErrBusy, Op: "Attach", Code: "IncorrectInstanceStatus", Instance: true}
		})
		s.Post(s.Failed("i-db1"))
		s.Finish()
		if o := s.Last(); o.Outcome != "attached" || o.Instance != "i-db4" {
			s.Errorf("after the tries %v: %+v", tries, o)
		}
	})
}

// A sweep opens no story over one that is under way.
func TestASweepLeavesAnOpenStoryAlone(t *testing.T) {
	functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
		s.Instance("i-db1", havip.Stopped)
		s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 2, Error: &simulator.FaultError{Code: "Throttling.User"}})
		s.Post(s.Recover(request{Instance: "i-db2"}))
		story := record(s).Story.ID
		for range 3 {
			s.Post(s.Sweep())
			if r := record(s); r.Story.ID != story || !r.Story.Open() || r.Story.Joined {
				s.Fatalf("a sweep made %+v of %s", r.Story, story)
			}
		}
		s.Finish()
		if len(s.Outcomes) != 1 || s.Last().Outcome != "attached" {
			s.Errorf("%+v", s.Outcomes)
		}
	})
}
