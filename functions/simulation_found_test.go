package functions_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// TestFound tells, in its shortest form, what the simulation found.
func TestFound(t *testing.T) {
	type stage = functionstest.Stage
	one := functionstest.Scene{Policy: "members: [i-db1, i-db2], hold: 1"}
	held := one
	held.Holders = []string{"i-db1"}
	functionstest.Run(t, []functionstest.Story{
		{Name: "a dry run while the cloud is busy has an outcome", Scene: one, Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "DescribeHaVips", Times: 1, Error: &simulator.FaultError{Code: "Throttling.User"}})
			s.Post(s.Recover(events.Recover{DryRun: true}))
		}, Outcomes: "ignored"},
		{Name: "a person's slip does not keep the sweep away", Scene: one, Tell: func(s *stage) {
			s.Post(s.Recover(events.Recover{Instance: "i-db1", Release: "i-db1"}))
			s.Post(s.Sweep())
		}, Calls: "+i-db1", Outcomes: "refused, attached i-db1", Holders: "i-db1*"},
		{Name: "a sweep that comes again opens no story under an id that was used", Scene: one, Tell: func(s *stage) {
			sweep := s.Sweep()
			s.Post(sweep)
			s.Wait(time.Minute)
			s.Instance("i-db1", havip.Stopped)
			s.Post(sweep)
		}, Calls: "+i-db1", Outcomes: "attached i-db1", Holders: "i-db1"},
		{Name: "what a freeze held back is seen to when it ends", Scene: held, Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 1, Error: &simulator.FaultError{Code: "Throttling.User"}})
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			freeze(s, time.Minute)
			s.Wait(2 * time.Minute)
			s.Post(s.Sweep())
		}, Calls: "+i-db2:Throttling.User +i-db2 -i-db1", Outcomes: "ignored, attached i-db2", Holders: "i-db2*"},
		{Name: "a stranger that is down, and another HAVIP's member, opens no story with each sweep", Scene: functionstest.Scene{
			Policy: "members: [i-db1], hold: 1", Users: "members: [i-db2], hold: 1",
			Holders: []string{"i-db2"}, States: map[string]havip.InstanceState{"i-db2": havip.Stopped},
		}, Tell: func(s *stage) {
			for range 3 {
				s.Post(s.Sweep())
				s.Wait(time.Minute)
			}
		}, Outcomes: "refused@users, serving.lost, serving.lost@users", Holders: "i-db2"},
	})
}

// lateTimer is a ledger whose answer is on its way for a while, or none.
type lateTimer struct{ err error }

// Now implements [havip.Timer].
func (l lateTimer) Now(context.Context) (time.Time, error) {
	time.Sleep(time.Second)
	return time.Now(), l.err
}

// Who comes while a new process first asks for the time waits for it too.
func TestFoundClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := &havip.Clock{Off: 10 * time.Minute}
		if _, _, err := clock.Compare(t.Context(), lateTimer{errors.New("away")}); err == nil {
			t.Error("it goes by a clock that was never compared")
		}
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if _, _, err := clock.Compare(t.Context(), lateTimer{}); err != nil {
					t.Error(err)
				}
				if off := time.Until(clock.Now()).Abs(); off > havip.MaxSkew {
					t.Errorf("it goes by a clock that is %v off", off)
				}
			})
		}
		both.Wait()
	})
}

func freeze(s *functionstest.Stage, d time.Duration) {
	s.Helper()
	_, err := s.Function.Keeper.Freeze(s.Context(), "", havip.Freeze{Until: time.Now().Add(d), Actor: "somebody", Reason: "a drill"})
	if err != nil {
		s.Fatal(err)
	}
}

// What a follow-up that is none of ours could do where there was no record yet.
func TestFoundForged(t *testing.T) {
	orders := havip.Key{Cloud: "alibaba", Region: "cn-hangzhou", ID: functionstest.Orders}
	for name, tt := range map[string]struct {
		forge                    func(*events.StatusCheck, *havip.Record)
		calls, outcomes, holders string
	}{
		"take the name of a real event": {func(_ *events.StatusCheck, r *havip.Record) {
			r.Story.Event = havip.EventRef{Source: urn, ID: "e2", Type: events.TypeHealthFailed}
		}, "+i-db2 -i-db1", "unchanged i-db1, attached i-db2", "i-db2*"},
		"end a story of another HAVIP": {func(c *events.StatusCheck, r *havip.Record) {
			c.Story = havip.Key{Cloud: "alibaba", Region: "cn-hangzhou", ID: functionstest.Users}.Shelf() + c.Story[8:]
			r.Story.ID = c.Story
		}, "+i-db2 -i-db1", "attached i-db2", "i-db2*"},
		"have a call waited for": {func(_ *events.StatusCheck, r *havip.Record) {
			r.Pending = &havip.PendingCall{Verb: havip.Attach, Instance: "i-db3", SentAt: time.Now().Add(1000 * time.Hour)}
			r.Failover = &havip.Failover{At: time.Now().Add(1000 * time.Hour)}
		}, "+i-db2 -i-db1", "unchanged i-db1, attached i-db2", "i-db2*"},
		"have a next look that nobody can ask for": {func(c *events.StatusCheck, r *havip.Record) {
			c.Attempt, r.Story.Attempt = 1<<31-1, 1<<31-1
			r.Pending = &havip.PendingCall{Verb: havip.Attach, Instance: "i-db3", SentAt: time.Now()}
		}, "+i-db2 -i-db1", "attached i-db2", "i-db2*"},
	} {
		t.Run(name, func(t *testing.T) {
			functionstest.Play(t, functionstest.Scene{Policy: "members: [i-db1, i-db2], hold: 1", Holders: []string{"i-db1"}}, func(s *functionstest.Stage) {
				s.Function = s.Host(func(f *flow.Function) { f.Seal = sealOf(sealKey) })
				c := events.StatusCheck{Story: orders.Shelf() + "f0f0f0f0f0f0f0f0", Attempt: 1}
				r := havip.Record{Story: &havip.Story{
					Origin: havip.Origin{ID: c.Story, HAVIP: orders, Ask: havip.Ask{Kind: havip.AskSweep}, StartedAt: time.Now(), Deadline: time.Now().Add(1000 * time.Hour)},
				}}
				tt.forge(&c, &r)
				carried, err := r.Carry()
				if err != nil {
					t.Fatal(err)
				}
				c.Carried = carried
				s.Post(s.Check(c))
				s.Wait(time.Minute)
				if known, _, err := havip.Load[havip.Record](s.Context(), s.Ledger, orders.String()); err != nil || known.Story.Open() {
					t.Errorf("a minute later it still has %+v, %v", known.Story, err)
				}
				s.Instance("i-db1", havip.Stopped)
				s.Post(s.Failed("i-db1"))
				s.Want(tt.calls, tt.outcomes, tt.holders)
			})
		})
	}
}
