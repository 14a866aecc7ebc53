package flow_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/roster"
	"havip-functions/shared/simulator"
)

// recorder is a bus that keeps what it takes, by type.
type recorder struct {
	types, ids []string
	refuse     string // a type
}

func (r *recorder) Publish(_ context.Context, e cloudevents.Event, _ time.Duration) error {
	if e.Type() == r.refuse {
		return errors.New("refused")
	}
	r.types, r.ids = append(r.types, e.Type()), append(r.ids, e.ID())
	return nil
}

// A check that came before its time is waited for, as long as the invocation
// can; then it is sent on, but not for ever.
func TestEarlyChecks(t *testing.T) {
	for name, tt := range map[string]struct {
		early, budget time.Duration // budget 0: none
		hops          int
		waited        time.Duration
		looked        bool
	}{
		"in time":                {0, time.Minute, 0, 0, true},
		"a little":               {10 * time.Second, time.Minute, 0, 10 * time.Second, true},
		"too much":               {50 * time.Second, time.Minute, 0, 35 * time.Second, false},
		"in a short function":    {10 * time.Second, 4 * time.Second, 0, 2 * time.Second, false},
		"on a host of our own":   {5 * time.Minute, 0, 0, 5 * time.Minute, true},
		"after a few hops":       {50 * time.Second, time.Minute, 39, 35 * time.Second, false},
		"after the last of them": {50 * time.Second, time.Minute, 40, 35 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				looked, bus := false, &recorder{}
				f := flow.Function{Bus: bus, Log: slog.New(slog.DiscardHandler), Handlers: []flow.Handler{
					flow.On(func(context.Context, events.Event, events.StatusCheck) ([]havip.Left, error) {
						looked = true
						return nil, nil
					}),
				}}
				ctx := t.Context()
				if tt.budget > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.budget)
					defer cancel()
				}
				began := time.Now()
				id := "check" + strings.Repeat("+", tt.hops)
				_, err := f.Accept(ctx, events.New(id, began, events.StatusCheck{
					Cloud: "baidu", Region: "bj", HAVIP: "havip-w2d4", Story: "s", Attempt: 2, NotBefore: began.Add(tt.early),
				}))
				if err != nil || looked != tt.looked || time.Since(began) != tt.waited {
					t.Errorf("looked %t after %s, %v; want %t after %s", looked, time.Since(began), err, tt.looked, tt.waited)
				}
				if sent := len(bus.ids) == 1 && bus.ids[0] == id+"+"; sent == tt.looked {
					t.Errorf("sent on %v", bus.ids)
				}
			})
		})
	}
}

// An outcome that nobody takes stays in the outbox, and keeps no check back.
func TestOutboxGoesOnWithoutAnOutcome(t *testing.T) {
	file, err := roster.Parse(roster.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	p := file.Policies()[0]
	story := havip.Story{Origin: havip.Origin{ID: "s1", HAVIP: p.Key(), Name: p.Name, StartedAt: time.Now()}, Ending: havip.Ending{Outcome: havip.Superseded, EndedAt: time.Now()}}
	next := havip.Story{Origin: havip.Origin{ID: "s2", HAVIP: p.Key(), Name: p.Name, StartedAt: time.Now()}}
	memory, bus := ledger.NewMemory(), &recorder{refuse: "havip.superseded"}
	_, err = havip.Save(t.Context(), memory, p.Key().String(), havip.Record{Story: &next, Closed: &story, Outbox: []havip.Message{
		{ID: "outcome", Ended: "s1"}, {ID: "check", Check: &havip.Check{HAVIP: p.Key(), Story: "s2", Attempt: 1, At: time.Now()}},
	}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := flow.Function{Keeper: havip.Keeper{Roster: file, Ledger: memory}, Ledger: memory, Bus: bus, Log: slog.New(slog.DiscardHandler)}
	if err := f.Resume(t.Context()); err == nil || !slices.Equal(bus.types, []string{"havip.status.check"}) {
		t.Errorf("published %v, %v", bus.types, err)
	}
	left, _, err := havip.Load[havip.Record](t.Context(), memory, p.Key().String())
	if err != nil || len(left.Outbox) != 1 || left.Outbox[0].ID != "outcome" {
		t.Errorf("left are %+v, %v", left.Outbox, err)
	}
	bus.refuse = ""
	if err := f.Resume(t.Context()); err != nil || !slices.Equal(bus.types, []string{"havip.status.check", "havip.superseded"}) {
		t.Errorf("published %v, %v", bus.types, err)
	}
}

// A host that may watches a quick change to its end, without a follow-up.
func TestWatch(t *testing.T) {
	functionstest.Play(t, short, func(s *stage) {
		w := &wiretap{Bus: s}
		s.Function = s.Host(func(f *flow.Function) { f.Bus, f.Watch = w, 20*time.Second })
		s.Post(s.Started("i-db2"))
		if len(w.ids) != 1 || s.Last().Outcome != "attached" {
			s.Errorf("published %q, the last outcome is %q", w.ids, s.Last().Outcome)
		}
	})
}

func TestWatchNoLongerThanItMay(t *testing.T) {
	functionstest.Play(t, short, func(s *stage) {
		s.Fault(simulator.Fault{Operation: "AssociateHaVip", Stuck: true})
		w := &wiretap{Bus: s}
		s.Function = s.Host(func(f *flow.Function) { f.Bus, f.Watch = w, 20*time.Second })
		began := time.Now()
		s.Post(s.Started("i-db2"))
		if took := time.Since(began); took > 20*time.Second || took < 10*time.Second || len(w.ids) != 1 {
			s.Errorf("after %s published %q, want one follow-up within 20s", took, w.ids)
		}
		s.Clouds.ClearFaults()
		s.Want("+i-db2", "attached i-db2", "i-db1* i-db2")
	})
}
