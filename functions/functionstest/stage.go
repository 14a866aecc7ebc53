// Package functionstest plays the functions in virtual time, for their tests: the
// real handlers, Keeper, adapters and SDKs in front of the simulated clouds.
package functionstest

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/functions"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/simulator"
)

// Stage is a scene that is being played. Only what the test does next, or Wait
// and Finish, makes its time go on.
type Stage struct {
	*testing.T
	Clouds   *simulator.Simulator
	Ledger   ledger.Ledger
	Function flow.Function // the host that events reach; a test may put another in its place

	// Outcomes are those that were published, in order.
	Outcomes []events.Event

	scene  Scene
	roster *edited
	events int
	bus    []delivery
}

// delivery is an event on the bus, until it is due.
type delivery struct {
	at      time.Time
	payload []byte
}

// Play plays a scene in a bubble of its own.
func Play(t *testing.T, scene Scene, play func(*Stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		keeper, clouds, err := scene.keeper(simulator.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer clouds.Close()
		s := &Stage{T: t, Clouds: clouds, Ledger: ledger.NewMemory(), scene: scene, roster: &edited{Roster: keeper.Roster}}
		s.Function = s.Host(func(*flow.Function) {})
		play(s)
	})
}

// Host makes another host of the same functions, that differs in what change does.
func (s *Stage) Host(change func(*flow.Function)) flow.Function {
	f := flow.Function{
		Keeper: havip.Keeper{Ledger: s.Ledger, Roster: s.roster, Clouds: through(s.Clouds)},
		Ledger: s.Ledger, Bus: s, Log: slog.New(slog.DiscardHandler),
	}
	change(&f)
	return functions.New(f)
}

// edited is a roster that a test may edit while it is played.
type edited struct{ havip.Roster }

// Edit changes the roster under way, as whoever writes its file does.
func (s *Stage) Edit(change func(*Scene)) {
	s.Helper()
	change(&s.scene)
	fresh, err := s.scene.roster()
	if err != nil {
		s.Fatal(err)
	}
	s.roster.Roster = fresh
}

// redelivery is how long a follow-up that failed waits to be delivered again.
const redelivery = 5 * time.Second

// Publish implements [flow.Bus]: a check is delivered when it is due, until it
// is acknowledged.
func (s *Stage) Publish(_ context.Context, ce cloudevents.Event, after time.Duration) error {
	payload, err := events.Encode(ce)
	if err != nil {
		return err
	}
	if ce.Type() == events.TypeStatusCheck {
		s.bus = append(s.bus, delivery{time.Now().Add(max(0, after)), payload})
		return nil
	}
	told, err := events.Read(payload, time.Now())
	s.Outcomes = append(s.Outcomes, told...)
	return err
}

// Wait lets time go on, and delivers what is due meanwhile.
func (s *Stage) Wait(d time.Duration) {
	s.Helper()
	until := time.Now().Add(d)
	for s.deliver(until) {
	}
	s.sleep(until)
}

// Finish delivers follow-ups until there is none.
func (s *Stage) Finish() {
	s.Helper()
	const enough = 24 * time.Hour // no story is that long
	until := time.Now().Add(enough)
	for s.deliver(until) {
	}
	if len(s.bus) > 0 {
		s.Fatalf("%d follow-ups are left after %s", len(s.bus), enough)
	}
}

// LoseFollowUps empties the bus.
func (s *Stage) LoseFollowUps() { s.bus = nil }

func (s *Stage) deliver(until time.Time) bool {
	if len(s.bus) == 0 {
		return false
	}
	slices.SortStableFunc(s.bus, func(a, b delivery) int { return a.at.Compare(b.at) })
	next := s.bus[0]
	if next.at.After(until) {
		return false
	}
	s.bus = s.bus[1:]
	s.sleep(next.at)
	if err := s.Function.Invoke(s.Context(), next.payload); err != nil {
		s.bus = append(s.bus, delivery{time.Now().Add(redelivery), next.payload})
	}
	return true
}

// sleep is virtual: whatever else the bubble does comes first.
func (s *Stage) sleep(until time.Time) {
	if d := time.Until(until); d > 0 {
		<-time.After(d)
	}
}

// Record is what the ledger remembers of orders.
func (s *Stage) Record() havip.Record {
	s.Helper()
	key := havip.Key{Cloud: s.scene.cloud(), Region: s.scene.region(), ID: Orders}
	r, _, err := havip.Load[havip.Record](s.Context(), s.Ledger, key.String())
	if err != nil {
		s.Fatal(err)
	}
	return r
}
