package havip_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/simulator"
)

// Each promise of ours in the shortest story that would break it. The simulation
// in functions tries them against everything at once. They are in one file, long
// as it is, because it is where docs/promises.md sends those who doubt.

type (
	stage   = functionstest.Stage
	scene   = functionstest.Scene
	request = events.Recover
)

const (
	one  = "members: [i-db1, i-db2, i-db3], hold: 1"
	pair = "members: [i-db1, i-db2], hold: 2"
	key  = "alibaba.cn-hangzhou." + functionstest.Orders
)

func holds(policy string, holders ...string) scene { return scene{Policy: policy, Holders: holders} }

func record(s *stage) havip.Record {
	s.Helper()
	r, _, err := havip.Load[havip.Record](s.Context(), s.Ledger, key)
	if err != nil {
		s.Fatal(err)
	}
	return r
}

// decoded is a record as a ledger gets it.
func decoded(value []byte) (r havip.Record) {
	_ = json.Unmarshal(value, &r) // ours, or it has none of its members
	return r
}

func TestPromise1OnlyRosteredInstancesAreAttached(t *testing.T) {
	functionstest.Play(t, holds(one), func(s *stage) {
		s.Post(s.Started("i-db4"))
		s.Post(s.Restored("i-db4"))
		s.Post(s.Recover(request{Instance: "i-db4"}))
		s.Post(forged(s, "i-db4"))
		s.Want("", "refused, refused, refused, refused", "")
	})
}

// forgedID has the form of the ids of orders' stories.
var forgedID = havip.Key{Cloud: "alibaba", Region: "cn-hangzhou", ID: functionstest.Orders}.Shelf() + "f0f0f0f0f0f0f0f0"

// forged is a follow-up of a story that nobody opened here.
func forged(s *stage, instance string) events.Event {
	s.Helper()
	carried, err := json.Marshal(havip.Record{Story: &havip.Story{
		Origin:   havip.Origin{ID: forgedID, HAVIP: havip.Key{Cloud: "alibaba", Region: "cn-hangzhou", ID: functionstest.Orders}, Ask: havip.Ask{Kind: havip.AskRecover, Instance: instance}, Deadline: time.Now().Add(time.Hour)},
		Progress: havip.Progress{Attempt: 1},
	}})
	if err != nil {
		s.Fatal(err)
	}
	s.Ledger = ledger.NewMemory() // where a record is found, what is carried counts for nothing
	s.Function = s.Host(func(*flow.Function) {})
	return s.Check(events.StatusCheck{Story: forgedID, Attempt: 1, Carried: carried})
}

func TestPromise2TheLastHealthyHolderStays(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "whatever fails around it", Scene: holds(pair, "i-db1", "i-db2"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			s.Wait(5 * time.Second) // i-db2 takes over
			s.Post(s.Recover(request{Release: "i-db2", Force: true}))
		}, Outcomes: "unchanged i-db2, refused", Holders: "i-db1 i-db2*"},
		{Name: "unless a person accepts the gap", Scene: holds(pair, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db2", havip.Stopped)
			s.Post(s.Recover(request{Instance: "i-db2", Release: "i-db1", Force: true, AllowGap: true}))
		}, Calls: "+i-db2 -i-db1!", Outcomes: "attached i-db2", Holders: "i-db2", Says: []string{"no holder announces"}},
		{Name: "attach comes first where there is room", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
		}, Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "a failed holder goes first where there is none", Scene: holds("members: [i-db1, i-db2, i-db3]", "i-db1", "i-db2"), Tell: func(s *stage) {
			s.Instance("i-db2", havip.Stopped)
			s.Post(s.Failed("i-db2"))
		}, Calls: "-i-db2 +i-db3", Outcomes: "attached i-db3", Holders: "i-db1* i-db3"},
	})
}

// Two hosts, three crossing stories and a lost reply: no call of ours reaches a
// HAVIP that moves, and each was preceded by a read.
func TestPromise3OneCallAtATime(t *testing.T) {
	functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
		other := s.Host(func(*flow.Function) {})
		s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 1, LoseReply: true})
		for _, e := range []events.Event{s.Failed("i-db1"), s.Failed("i-db2"), s.Recover(request{Instance: "i-db3"}), s.Started("i-db1")} {
			s.Post(e)
			s.Function, other = other, s.Function
			s.Wait(300 * time.Millisecond)
		}
		s.Finish()
		if len(s.Changes()) < 2 {
			s.Errorf("only the calls %q", s.Calls())
		}
		read := false
		for _, c := range s.Clouds.Calls(simulator.CallFilter{}) {
			switch {
			case c.Operation == "DescribeInstances":
			case c.Operation == "DescribeHaVips":
				read = true
			case c.Moving || !read:
				s.Errorf("call %d, %s of %v: moving %t, read before %t", c.N, c.Operation, c.Instances, c.Moving, read)
			default:
				read = false
			}
		}
	})
}

// The process dies between the lease and the call: the lease counts as a call
// until it is too old for that.
func TestPromise3ALeaseExcludesOthers(t *testing.T) {
	functionstest.Play(t, holds(one), func(s *stage) {
		healthy := s.Function
		s.Function = s.Host(func(f *flow.Function) { f.Keeper.Ledger = &dying{Ledger: s.Ledger} })
		e := s.Recover(request{Instance: "i-db1"})
		if err := s.Try(e); err == nil {
			s.Fatal("the event was acknowledged by a host that died")
		}
		s.Function = healthy
		s.Post(e) // delivered again
		began := time.Now()
		s.Finish()
		if wait := s.Changes()[0].Time.Sub(began); wait < 20*time.Second {
			s.Errorf("somebody called %s after the lease of another", wait)
		}
		s.Want("+i-db1", "attached i-db1", "i-db1*")
	})
}

// dying is a ledger whose host dies as soon as it has written a lease.
type dying struct{ ledger.Ledger }

var errDied = errors.New("the process died")

// Save implements [havip.Ledger].
func (d *dying) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	rev, err := d.Ledger.Save(ctx, key, value, rev)
	if err == nil && decoded(value).Pending != nil {
		err = errDied
	}
	return rev, err
}

func TestPromise4EachStoryHasOneOutcome(t *testing.T) {
	functionstest.Play(t, holds(one), func(s *stage) {
		s.Fault(simulator.Fault{Operation: "AssociateHaVip", Stuck: true})
		e := s.Recover(request{Instance: "i-db1"})
		s.Post(e)
		s.Post(e)
		s.Finish()
		o := s.Last()
		if o.Outcome != "timedout" || !o.EndedAt.Equal(o.StartedAt.Add(5*time.Minute)) {
			s.Errorf("%s after %s", o.Outcome, o.EndedAt.Sub(o.StartedAt))
		}
		s.Clouds.ClearFaults()
		s.Post(e)
		s.Want("+i-db1", "timedout", "i-db1*")
	})
}

// The bus takes the outcome, but its answer is lost: the event is not
// acknowledged, and comes again.
func TestPromise4AnOutcomeIsPublishedAgainUnderItsID(t *testing.T) {
	functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
		healthy := s.Function
		s.Function = s.Host(func(f *flow.Function) { f.Bus = deaf{s} })
		e := s.Started("i-db1")
		if err := s.Try(e); !errors.Is(err, errDied) {
			s.Errorf("the event was acknowledged before its outcome was: %v", err)
		}
		s.Function = healthy
		s.Post(e)
		s.Post(e)
		s.Want("", "unchanged i-db1, unchanged i-db1", "i-db1*")
		if first, second := s.Outcomes[0], s.Outcomes[1]; first.ID != second.ID {
			s.Errorf("the outcome was published as %s and as %s", first.ID, second.ID)
		}
	})
}

// deaf is a bus whose answers don't arrive.
type deaf struct{ flow.Bus }

// Publish implements [flow.Bus].
func (d deaf) Publish(ctx context.Context, ce cloudevents.Event, after time.Duration) error {
	return errors.Join(d.Bus.Publish(ctx, ce, after), errDied)
}

func TestPromise5RepeatedEventsCauseNoFurtherCall(t *testing.T) {
	functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
		var sent []events.Event
		send := func(e events.Event) {
			sent = append(sent, e)
			s.Post(e)
			s.Finish()
			s.Wait(time.Minute)
		}
		send(s.Failed("i-db1"))
		send(s.Failed("i-db2"))
		send(s.Restored("i-db1"))
		send(s.Recover(request{Instance: "i-db3"}))
		send(s.Sweep())
		send(s.Started("i-db2"))
		calls, outcomes := s.Calls(), len(s.Outcomes)
		for range 26 {
			rand.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
			for _, e := range sent {
				s.Post(e)
			}
			s.Finish()
			s.Wait(time.Hour)
		}
		if s.Calls() != calls || len(s.Outcomes) != outcomes {
			s.Errorf("the calls %q became %q, %d outcomes %d", calls, s.Calls(), outcomes, len(s.Outcomes))
		}
	})
}

// Even under the story that superseded the first one.
func TestPromise6ARetryRepeatsItsToken(t *testing.T) {
	functionstest.Play(t, holds(one), func(s *stage) {
		s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 2, Cut: true})
		s.Post(s.Recover(request{Instance: "i-db1"}))
		s.Wait(40 * time.Second) // it was tried twice
		s.Post(s.Recover(request{Instance: "i-db1"}))
		s.Want("+i-db1*3", "superseded, attached i-db1", "i-db1*")
		calls := s.Changes()
		for _, c := range calls {
			if c.ClientToken == "" || c.ClientToken != calls[0].ClientToken {
				s.Errorf("the tokens are %q and %q", calls[0].ClientToken, c.ClientToken)
			}
		}
	})
}

func TestPromise6ALostReplyIsReadBack(t *testing.T) {
	functionstest.Play(t, holds(one), func(s *stage) {
		s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 1, LoseReply: true})
		s.Post(s.Recover(request{Instance: "i-db1"}))
		s.Want("+i-db1", "attached i-db1", "i-db1*")
	})
}

func TestPromise6ALegitimateRepeatHasATokenOfItsOwn(t *testing.T) {
	functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
		s.Post(s.Recover(request{Instance: "i-db2"}))
		s.Finish()
		s.Post(s.Recover(request{Release: "i-db2", Instance: "i-db1"}))
		s.Finish()
		s.Post(s.Recover(request{Instance: "i-db2"}))
		s.Want("+i-db2 -i-db2 +i-db2", "attached i-db2, attached i-db1, attached i-db2", "i-db1* i-db2")
	})
}

func TestPromise7OneFailoverInACoolDown(t *testing.T) {
	functionstest.Play(t, holds("members: [i-db1, i-db2, i-db3, i-db4], hold: 2", "i-db1", "i-db2"), func(s *stage) {
		fail := func(instance string) {
			s.Instance(instance, havip.Stopped)
			s.Post(s.Failed(instance))
			s.Finish()
		}
		began := time.Now()
		fail("i-db1")
		fail("i-db2") // i-db3 serves
		s.Want("-i-db1 +i-db3 -i-db2 +i-db4", "attached i-db3, attached i-db4", "i-db3* i-db4")
		if wait := s.Changes()[2].Time.Sub(began); wait < time.Minute || wait > 70*time.Second {
			s.Errorf("the second failover began %s after the first", wait)
		}
	})
}

func TestPromise8AttachedIsWhatWasRead(t *testing.T) {
	functionstest.Play(t, holds(one), func(s *stage) {
		s.Silence()
		s.Post(s.Recover(request{Instance: "i-db1"}))
		s.Wait(1900 * time.Millisecond) // accepted, but Associating for two seconds
		if c := s.Changes()[0]; !c.Effect || len(s.Outcomes) > 0 {
			s.Errorf("accepted %t, with %d outcomes while it is Associating", c.Effect, len(s.Outcomes))
		}
		s.Want("+i-db1", "attached i-db1", "i-db1")
		if o := s.Last(); o.Serving != "" || !slices.Equal(o.Holders, []string{"i-db1"}) {
			s.Errorf("%v hold it and %q serves", o.Holders, o.Serving)
		}
	})
}

func TestPromise9BusyIsNotFailed(t *testing.T) {
	for _, code := range []string{
		"Throttling.User", "ServiceUnavailable", "SystemBusy", "InternalError", "IncorrectHaVipStatus",
		"InvalidVip.Status", "OperationFailed.DistibuteLock", "OperationConflict", "IncorrectInstanceStatus",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			functionstest.Play(t, holds(one), func(s *stage) {
				s.Fault(simulator.Fault{Operation: "AssociateHaVip", Error: &simulator.FaultError{Code: code}})
				s.Post(s.Recover(request{Instance: "i-db1"}))
				s.Wait(4 * time.Minute)
				if len(s.Outcomes) > 0 {
					s.Errorf("it ended after %s", s.Last().EndedAt.Sub(s.Last().StartedAt))
				}
				s.Clouds.ClearFaults()
				s.Finish()
				if calls := s.Calls(); !strings.HasSuffix(calls, " +i-db1") || s.Last().Outcome != "attached" {
					s.Errorf("%s after the calls %q", s.Last().Outcome, calls)
				}
			})
		})
	}
}

func TestPromise10AStaleEventChangesNothing(t *testing.T) {
	functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
		stale := s.Failed("i-db1")
		expired := s.Failed("i-db1")
		s.Wait(time.Minute)
		s.Post(s.Started("i-db1"))
		s.Finish()
		before := record(s)
		expired.Time, expired.Expiry = time.Now(), time.Now()
		s.Post(stale)
		s.Post(expired)
		s.Want("", "unchanged i-db1, ignored, ignored", "i-db1*")
		if after := record(s); after.Marks["i-db1"] != before.Marks["i-db1"] || after.Story.ID != before.Story.ID {
			s.Errorf("%+v became %+v", before, after)
		}
	})
}

// A story ends attached while somebody else has the address, and is not called served.
func TestPromise11ServedIsWhatAHolderAnnounces(t *testing.T) {
	squats := func(who string) func(*stage) {
		return func(s *stage) {
			s.Serve(who)
			s.Post(s.Started("i-db2"))
		}
	}
	by := func(tell func(*stage), want havip.Announcement) func(*stage) {
		return func(s *stage) {
			tell(s)
			s.Finish()
			o := s.Last()
			told := havip.Announcement{Serving: o.Serving, AnnouncedBy: havip.AnnouncedBy(o.AnnouncedBy), Announcer: o.Announcer}
			if told != want {
				s.Errorf("the outcome tells %+v, want %+v", told, want)
			}
			v := s.Function.Keeper.Status(s.Context(), "orders")[0]
			if v.Announcement != want || (v.Rule == "") != (want.AnnouncedBy == havip.ByHolder) {
				s.Errorf("the status tells %+v, want %+v", v, want)
			}
		}
	}
	functionstest.Run(t, []functionstest.Story{
		{Name: "a stranger has it", Scene: holds(pair, "i-db1"), Tell: by(squats("i-db4"), havip.Announcement{AnnouncedBy: havip.ByStranger, Announcer: "i-db4"}),
			Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1 i-db2",
			Says: []string{"attached, but i-db4, which does not hold it, announces 10.0.0.100", "stop keepalived on i-db4", "restart keepalived on i-db2"}},
		{Name: "nobody has it", Scene: holds(pair, "i-db1"), Tell: by(squats(""), havip.Announcement{AnnouncedBy: havip.ByNobody}),
			Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1 i-db2", Says: []string{"no holder announces the address"}},
		{Name: "a holder has it", Scene: holds(pair, "i-db1"), Tell: by(squats("i-db1"), havip.Announcement{Serving: "i-db1", AnnouncedBy: havip.ByHolder, Announcer: "i-db1"}),
			Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1* i-db2"},
	})
}
