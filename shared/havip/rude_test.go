package havip_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/simulator"
)

// The promises that hold under rude input, each in the shortest story that would
// break it.

// worst is text that JSON writes with two bytes for one.
func worst(n int) string { return strings.Repeat(`"`, n) }

func TestPromise13NoInputDisablesAHAVIP(t *testing.T) {
	functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
		for n := range 40 {
			e := s.Recover(request{
				Instance: "i-db2", Release: worst(256), Reason: worst(1000), Force: true, AllowGap: true,
			})
			e.ID = fmt.Sprintf("%03d", n) + worst(250)
			s.Post(e)
			r := s.Recover(request{Reason: worst(1000)})
			r.ID = fmt.Sprintf("r%03d", n) + worst(250)
			s.Post(r)
			s.Post(s.Failed(strings.Repeat("~", 256)))
		}
		for _, bad := range []string{"{", `{"specversion":"1.0"}`, "\xff"} {
			if err := s.Function.Invoke(s.Context(), []byte(bad)); err != nil {
				s.Error(err)
			}
		}
		s.Finish()
		if text, err := json.Marshal(record(s)); err != nil || len(text) > 16<<10 {
			s.Errorf("the record has %d bytes, %v", len(text), err)
		}
		s.Instance("i-db1", havip.Stopped)
		s.Post(s.Failed("i-db1"))
		s.Finish()
		if s.Last().Outcome != "attached" || strings.Contains(s.Holders(), "i-db1") {
			s.Errorf("afterwards a real failure ends as %+v", s.Last())
		}
	})
}

// A follow-up that no bus takes ends its story, and holds nothing up.
func TestPromise13AFollowUpThatCantBeSent(t *testing.T) {
	functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
		healthy := s.Function
		s.Function = s.Host(func(f *flow.Function) { f.Bus = narrow{s} })
		s.Instance("i-db1", havip.Stopped)
		s.Post(s.Failed("i-db1"))
		s.Want("+i-db2", "refused", "i-db1")
		s.Says("can't be asked for", "havip recover")
		s.Function = healthy
		s.Wait(30 * time.Second)
		s.Post(s.Sweep())
		s.Want("+i-db2 -i-db1", "refused, attached i-db2", "i-db2*")
	})
}

// narrow is a bus that no check fits through.
type narrow struct{ *functionstest.Stage }

// Publish implements [flow.Bus].
func (n narrow) Publish(ctx context.Context, ce cloudevents.Event, after time.Duration) error {
	if ce.Type() == events.TypeStatusCheck {
		return fmt.Errorf("%w: it is too large", flow.ErrUnsendable)
	}
	return n.Stage.Publish(ctx, ce, after)
}

// A story whose follow-ups are all lost ends at the first sweep behind its deadline.
func TestPromise4TheSweepEndsWhatNobodyLooksAt(t *testing.T) {
	functionstest.Play(t, holds(one), func(s *stage) {
		s.Fault(simulator.Fault{Operation: "AssociateHaVip", Stuck: true})
		s.Post(s.Recover(request{Instance: "i-db1"}))
		s.LoseFollowUps()
		s.Wait(4 * time.Minute)
		s.Post(s.Sweep()) // sends it again
		s.LoseFollowUps()
		s.Wait(2 * time.Minute)
		s.Post(s.Sweep()) // looks itself
		if s.Last().Outcome != "timedout" {
			s.Errorf("the last outcome is %+v", s.Last())
		}
	})
}

func TestPromise14OnlyMembersAreTouched(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "nobody is released who is off the roster", Scene: holds(one, "i-db4", "i-db1"), Tell: func(s *stage) {
			s.Post(s.Recover(request{Release: "i-db4", Force: true}))
		}, Outcomes: "refused", Holders: "i-db1 i-db4*", Says: []string{"not a member of orders", "members alone"}},
		{Name: "nor one who left it under way", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			s.Edit(func(c *functionstest.Scene) { c.Policy = "members: [i-db2, i-db3], hold: 1" })
		}, Calls: "+i-db2", Outcomes: "attached i-db2", Holders: "i-db1 i-db2*"},
		{Name: "nor attached", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 1, Error: &simulator.FaultError{Code: "Throttling.User"}})
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			s.Edit(func(c *functionstest.Scene) { c.Policy = "members: [i-db1, i-db3], hold: 1" })
		}, Calls: "+i-db2:Throttling.User +i-db3 -i-db1", Outcomes: "attached i-db3", Holders: "i-db3*"},
		{Name: "nor the one that a person named", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 1, Error: &simulator.FaultError{Code: "Throttling.User"}})
			s.Post(s.Recover(request{Instance: "i-db2"}))
			s.Edit(func(c *functionstest.Scene) { c.Policy = "members: [i-db1, i-db3], hold: 1" })
		}, Calls: "+i-db2:Throttling.User", Outcomes: "refused", Holders: "i-db1*", Says: []string{"i-db2 is not a member"}},
		{Name: "nor the one released that a person named", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 1, Error: &simulator.FaultError{Code: "Throttling.User"}})
			s.Post(s.Recover(request{Instance: "i-db2", Release: "i-db1", Force: true}))
			s.Edit(func(c *functionstest.Scene) { c.Policy = "members: [i-db2, i-db3], hold: 1" })
		}, Calls: "+i-db2:Throttling.User +i-db2", Outcomes: "refused i-db2", Holders: "i-db1* i-db2", Says: []string{"i-db1 is not a member", "members alone"}},
		{Name: "mode paused counts at the step", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 1, Error: &simulator.FaultError{Code: "Throttling.User"}})
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			s.Edit(func(c *functionstest.Scene) { c.Policy += ", mode: paused" })
		}, Calls: "+i-db2:Throttling.User", Outcomes: "ignored", Holders: "i-db1", Says: []string{"orders is paused"}},
		{Name: "and so does mode observe", Scene: holds(one, "i-db1"), Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 1, Error: &simulator.FaultError{Code: "Throttling.User"}})
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			s.Edit(func(c *functionstest.Scene) { c.Policy += ", mode: observe" })
		}, Calls: "+i-db2:Throttling.User", Outcomes: "ignored", Holders: "i-db1", Says: []string{"would Attach i-db2"}},
	})
}

// The roster is edited between the read of the HAVIP and the step.
func TestPromise14TheRosterIsReadAtTheStep(t *testing.T) {
	functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
		s.Function = s.Host(func(f *flow.Function) {
			clouds := f.Keeper.Clouds
			f.Keeper.Clouds = func(ctx context.Context, p havip.Policy, session string) (havip.Cloud, havip.Fleet, error) {
				s.Edit(func(c *functionstest.Scene) { c.Policy = "members: [i-db1, i-db3], hold: 1" }) // while we look
				return clouds(ctx, p, session)
			}
		})
		s.Instance("i-db1", havip.Stopped)
		s.Post(s.Failed("i-db1"))
		s.Want("+i-db3 -i-db1", "attached i-db3", "i-db3*")
	})
}

// However many events come after it, the same event causes nothing more.
func TestPromise5NoVolumeWashesAnEventOut(t *testing.T) {
	functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
		asked := s.Recover(request{Instance: "i-db2", Release: "i-db1", Force: true})
		s.Post(asked)
		s.Finish()
		s.Post(s.Recover(request{Instance: "i-db1", Release: "i-db2", Force: true}))
		s.Finish()
		calls := s.Calls()
		for range 2001 {
			s.Post(s.Restored("i-db1"))
			s.Wait(time.Second)
		}
		s.Finish()
		s.Post(asked)
		s.Finish()
		if s.Calls() != calls {
			s.Errorf("delivered again, it made %q of %q", s.Calls(), calls)
		}
	})
}

// slow is a ledger on a disk that needs a while for each write.
type slow struct {
	ledger.Ledger
	disk   chan struct{} // holds a token while it is written
	writes int
}

const sync5ms = 5 * time.Millisecond

// Save implements [havip.Ledger].
func (l *slow) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	rev, err := l.Ledger.Save(ctx, key, value, rev)
	if err == nil { // what is refused is not written
		l.sync()
	}
	return rev, err
}

// Create implements [havip.Ledger].
func (l *slow) Create(ctx context.Context, values map[string][]byte) error {
	l.sync()
	return l.Ledger.Create(ctx, values)
}

// Archive implements [havip.Ledger].
func (l *slow) Archive(ctx context.Context, s havip.Story) error {
	l.sync()
	return l.Ledger.Archive(ctx, s)
}

func (l *slow) sync() {
	l.disk <- struct{}{}
	l.writes++
	<-time.After(sync5ms)
	<-l.disk
}

// A hundred events at once about one HAVIP: at most four writes each, and nobody
// waits for a second, on a disk with five milliseconds a write. The dearest are
// those that end at once, each under its own key.
func TestAHundredAtOnce(t *testing.T) {
	for name, tell := range map[string]func(*stage) events.Event{
		"failures of one instance": func(s *stage) events.Event { return s.Failed("i-db1") },
		"failures of each": func(s *stage) events.Event {
			return s.Failed([]string{"i-db1", "i-db2", "i-db3"}[time.Now().Nanosecond()%3])
		},
		"ones that are stale": func(s *stage) events.Event {
			e := s.Failed("i-db1")
			e.Expiry = time.Now()
			return e
		},
	} {
		t.Run(name, func(t *testing.T) {
			functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
				l := &slow{Ledger: s.Ledger, disk: make(chan struct{}, 1)}
				s.Function = s.Host(func(f *flow.Function) { f.Ledger, f.Keeper.Ledger, f.Keeper.Later = l, l, true })
				const many = 100
				began := time.Now()
				var all sync.WaitGroup
				var mu sync.Mutex
				longest := time.Duration(0)
				for range many {
					e := tell(s)
					all.Go(func() {
						if _, err := s.Function.Accept(s.Context(), e); err != nil {
							t.Error(err)
						}
						mu.Lock()
						defer mu.Unlock()
						longest = max(longest, time.Since(began))
					})
				}
				all.Wait()
				most := max(time.Second, time.Duration(l.writes+1)*sync5ms) // what shares no write waits for the disk alone
				if l.writes > 4*many || longest > most {
					t.Errorf("%d writes for %d events, the last answer after %s", l.writes, many, longest)
				}
				t.Logf("%d writes, the last answer after %s", l.writes, longest)
			})
		})
	}
}

// A machine whose clock is ten minutes slow goes by the ledger's: its news are no
// news of yesterday, and nobody finds its stories overdue.
func TestAClockThatIsOff(t *testing.T) {
	for name, off := range map[string]time.Duration{"slow": -10 * time.Minute, "fast": 10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			functionstest.Play(t, holds(pair, "i-db1", "i-db2"), func(s *stage) {
				right := s.Function
				wrong := s.Host(func(f *flow.Function) { f.Keeper.Clock = &havip.Clock{Off: off} })
				s.Post(s.Failed("i-db2"))
				s.Finish()
				s.Wait(time.Minute)
				s.Function = wrong
				s.Post(s.Restored("i-db2"))
				s.Function = right
				s.Finish()
				if m := record(s).Marks["i-db2"]; m.Failed {
					s.Errorf("after it was restored it is marked %+v", m)
				}
				s.Function = wrong
				s.Instance("i-db1", havip.Stopped)
				s.Post(s.Recover(request{Release: "i-db1", Force: true}))
				story := record(s).Story
				if late := time.Until(story.Deadline) - 5*time.Minute; late.Abs() > 2*havip.MaxSkew {
					s.Errorf("its deadline is %s off", late)
				}
				s.Function = right
				s.Want("-i-db1", "unchanged i-db1, unchanged i-db1, attached i-db2", "i-db2*")
			})
		})
	}
}

// A holder whose stop nobody told of is no reason to release another.
func TestAStoppedHolderDoesNotCount(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "where Fleet answers", Scene: holds(one, "i-db1", "i-db2"), Tell: func(s *stage) {
			s.Instance("i-db2", havip.Stopped) // its event is lost
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
		}, Calls: "-i-db1 +i-db3 -i-db2", Outcomes: "attached i-db3", Holders: "i-db3*"},
	})
}

// Members that stopped and were started again, and all of whose events were lost, may
// hold the address again: who was marked by the cloud's word alone needs nobody's.
func TestWhoWasOnlyReadAsDownMayServeAgain(t *testing.T) {
	functionstest.Play(t, holds("members: [i-db1, i-db2], hold: 1", "i-db1"), func(s *stage) {
		s.Instance("i-db2", havip.Stopped)
		s.Instance("i-db1", havip.Stopped)
		s.Post(s.Sweep())
		s.Finish()
		s.Want("", "refused", "i-db1")
		s.Instance("i-db2", havip.Running)
		s.Post(s.Sweep())
		s.Finish()
		s.Want("+i-db2 -i-db1", "refused, attached i-db2", "i-db2*")
		s.Instance("i-db1", havip.Running)
		s.Instance("i-db2", havip.Stopped)
		s.Post(s.Sweep())
		s.Finish()
		s.Want("+i-db2 -i-db1 +i-db1 -i-db2", "refused, attached i-db2, attached i-db1", "i-db1*")
	})
}

// What moves an address without a person's word is held by the brake, whatever
// event it goes by.
func TestTheBrakeHoldsWhateverMoves(t *testing.T) {
	once := holds("members: [i-db1, i-db2, i-db3], hold: 1", "i-db1")
	once.Brake = "failovers: 1, within: 10m"
	for name, tell := range map[string]func(*stage) events.Event{
		"restored": func(s *stage) events.Event { return s.Restored("i-db3") },
		"started":  func(s *stage) events.Event { return s.Started("i-db3") },
	} {
		t.Run(name, func(t *testing.T) {
			functionstest.Play(t, once, func(s *stage) {
				fails(s, "i-db1") // moves to i-db2, and closes the brake for the next
				fails(s, "i-db2")
				s.Post(tell(s))
				s.Want("+i-db2 -i-db1", "attached i-db2, refused, refused", "i-db2")
				s.Says("the brake has let no failover through")
			})
		})
	}
}

// A sweep looks after what it names, and no further.
func TestASweepOfOneCloud(t *testing.T) {
	functionstest.Play(t, holds(one), func(s *stage) {
		for _, d := range []events.Sweep{{Cloud: "baidu"}, {Region: "cn-beijing"}, {HAVIP: "users"}, {Cloud: "baidu", Region: "bj"}} {
			s.Post(s.Event(d))
		}
		s.Want("", "", "")
		if n := len(s.Clouds.Calls(simulator.CallFilter{})); n > 0 {
			s.Errorf("%d calls for sweeps of others", n)
		}
		s.Post(s.Event(events.Sweep{Cloud: "alibaba", Region: "cn-hangzhou"}))
		s.Want("+i-db1", "attached i-db1", "i-db1*")
	})
}

// What a follow-up carries is believed where we sealed it; else it may do no more
// than its event could have.
func TestCarriedStateIsSealed(t *testing.T) {
	key := func(name string) string {
		return map[string]string{"HAVIP_SEAL_KEY": "a-key-of-a-deployment"}[name]
	}
	seal, err := guard.SealFromEnvironment(key)
	if err != nil {
		t.Fatal(err)
	}
	forge := func(s *stage, change func(*havip.Record)) events.StatusCheck {
		k := havip.Key{Cloud: "alibaba", Region: "cn-hangzhou", ID: functionstest.Orders}
		r := havip.Record{
			Marks: map[string]havip.Mark{"i-db1": {Failed: true, At: time.Now(), Since: time.Now()}},
			Story: &havip.Story{
				Origin:   havip.Origin{ID: forgedID, HAVIP: k, StartedAt: time.Now(), Deadline: time.Now().Add(1000 * time.Hour), Ask: havip.Ask{Kind: havip.AskRecover, Instance: "i-db2", Release: "i-db1", Force: true, AllowGap: true, Actor: "root"}},
				Progress: havip.Progress{Attempt: 7},
			},
		}
		change(&r)
		carried, err := r.Carry()
		if err != nil {
			s.Fatal(err)
		}
		return events.StatusCheck{Story: forgedID, Attempt: 7, Carried: carried}
	}
	plain := func(*havip.Record) {}
	play := func(t *testing.T, tell func(*stage)) {
		t.Helper()
		functionstest.Play(t, holds(pair, "i-db1"), func(s *stage) {
			s.Function = s.Host(func(f *flow.Function) { f.Seal = seal })
			tell(s)
		})
	}
	t.Run("unsealed, a recover loses its force, its gap and its time", func(t *testing.T) {
		play(t, func(s *stage) {
			s.Instance("i-db2", havip.Stopped)
			began := time.Now()
			s.Post(s.Check(forge(s, plain)))
			s.Finish()
			o := s.Last()
			if strings.Contains(s.Calls(), "-i-db1") || o.EndedAt.Sub(began) > 6*time.Minute || o.Actor == "root" {
				s.Errorf("the calls %q; %+v", s.Calls(), o)
			}
		})
	})
	for name, tt := range map[string]struct {
		ask     havip.Ask
		arrange func(*stage)
		calls   string
		within  time.Duration
	}{
		"its force alone": {
			havip.Ask{Kind: havip.AskRecover, Instance: "i-db2", Release: "i-db1", Force: true}, func(*stage) {}, "+i-db2", 6 * time.Minute,
		},
		"its gap alone": {
			havip.Ask{Kind: havip.AskRecover, Instance: "i-db2", Release: "i-db1", AllowGap: true},
			func(s *stage) { s.Silence(); s.Instance("i-db2", havip.Stopped) }, "+i-db2", 6 * time.Minute,
		},
		"its time alone": {
			havip.Ask{Kind: havip.AskStarted, Instance: "i-db2"},
			func(s *stage) { s.Fault(simulator.Fault{Operation: "AssociateHaVip", Stuck: true}) }, "+i-db2", 6 * time.Minute,
		},
	} {
		t.Run("unsealed, a story loses "+name, func(t *testing.T) {
			play(t, func(s *stage) {
				tt.arrange(s)
				began := time.Now()
				s.Post(s.Check(forge(s, func(r *havip.Record) { r.Story.Ask, r.Marks = tt.ask, nil })))
				s.Finish()
				if took := s.Last().EndedAt.Sub(began); s.Calls() != tt.calls || took > tt.within || len(s.Outcomes) != 1 {
					s.Errorf("the calls %q, ended after %s: %+v", s.Calls(), took, s.Last())
				}
			})
		})
	}
	t.Run("sealed, it is as it was", func(t *testing.T) {
		play(t, func(s *stage) {
			s.Instance("i-db2", havip.Stopped)
			c := forge(s, plain)
			c.Seal = seal.Of(fmt.Sprintf("alibaba.cn-hangzhou.%s/%s/7", functionstest.Orders, forgedID), c.Carried)
			s.Post(s.Check(c))
			s.Want("+i-db2 -i-db1!", "attached i-db2", "i-db2")
		})
	})
	t.Run("and nowhere else", func(t *testing.T) {
		play(t, func(s *stage) {
			s.Instance("i-db2", havip.Stopped)
			c := forge(s, func(r *havip.Record) { r.Story.Attempt = 8 })
			c.Seal = seal.Of(fmt.Sprintf("alibaba.cn-hangzhou.%s/%s/8", functionstest.Orders, forgedID), c.Carried)
			s.Post(s.Check(c)) // of attempt 7
			s.Finish()
			if strings.Contains(s.Calls(), "!") {
				s.Errorf("the calls %q", s.Calls())
			}
		})
	})
	t.Run("nobody's story is ended by it", func(t *testing.T) {
		play(t, func(s *stage) {
			s.Post(s.Started("i-db2"))
			s.Post(s.Check(forge(s, plain)))
			s.Want("+i-db2", "attached i-db2", "i-db1* i-db2")
		})
	})
	t.Run("its failover counts once more, whatever it says of it", func(t *testing.T) {
		play(t, func(s *stage) {
			began := time.Now()
			s.Post(s.Check(forge(s, func(r *havip.Record) {
				r.Story.Ask = havip.Ask{Kind: havip.AskFailed, Instance: "i-db1"}
				r.Failover = &havip.Failover{At: began.Add(-time.Hour), Story: forgedID}
			})))
			s.Finish()
			if f := record(s).Failover; s.Calls() != "+i-db2" || f == nil || f.At.Before(began) {
				s.Errorf("the calls %q, the failover %+v", s.Calls(), f)
			}
		})
	})
	t.Run("nor any token but ours", func(t *testing.T) {
		play(t, func(s *stage) {
			s.Post(s.Check(forge(s, func(r *havip.Record) {
				r.Story.Ask = havip.Ask{Kind: havip.AskStarted, Instance: "i-db2"}
				r.Pending = &havip.PendingCall{Verb: havip.Attach, Instance: "i-db2", Token: "forged", SentAt: time.Now().Add(-time.Hour)}
			})))
			s.Finish()
			for _, c := range s.Clouds.Calls(simulator.CallFilter{Operation: "AssociateHaVip"}) {
				if c.ClientToken == "forged" {
					s.Errorf("%s went out with a forged token", c.Operation)
				}
			}
			if s.Calls() != "+i-db2" {
				s.Errorf("the calls %q", s.Calls())
			}
		})
	})
	t.Run("it brings no marks but its own", func(t *testing.T) {
		play(t, func(s *stage) {
			s.Post(s.Check(forge(s, func(r *havip.Record) {
				r.Marks = map[string]havip.Mark{"i-db1": {Failed: true, At: time.Now(), Since: time.Now()}, "i-db2": {Failed: true, At: time.Now(), Since: time.Now()}}
				r.Story.Ask = havip.Ask{Kind: havip.AskFailed, Instance: "i-db2"}
			})))
			s.Finish()
			if m := record(s).Marks; m["i-db1"].Failed || !m["i-db2"].Failed {
				s.Errorf("the marks are %+v", m)
			}
		})
	})
}
