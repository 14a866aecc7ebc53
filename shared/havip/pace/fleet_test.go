package pace_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/events"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

var fleetSize = flag.Int("fleet", 100, "the HAVIPs of TestFleet, in shards of 1,000; 100,000 take minutes")

// What an ordinary day is, and a shard: an account on each cloud.
const (
	shardSize  = 1000
	shardRate  = 50 // calls a second that a cloud takes of an account
	failsEvery = 24 * time.Hour
	restarts   = 2 * time.Minute
	zones      = 3
	noticed    = 10 * time.Second // within which all hear that a zone is lost
)

// phase is what happened in an hour, or when a zone was lost.
type phase struct {
	took      []time.Duration // each failed holder's HAVIP, until it was attached
	calls     int
	throttled int
	busiest   int // calls that one account was asked in one second
}

func (p *phase) add(other phase) {
	p.took = append(p.took, other.took...)
	p.calls, p.throttled, p.busiest = p.calls+other.calls, p.throttled+other.throttled, max(p.busiest, other.busiest)
}

func (p *phase) String() string {
	slices.Sort(p.took)
	at := func(percent int) time.Duration {
		return p.took[(len(p.took)-1)*percent/100].Round(10 * time.Millisecond)
	}
	return fmt.Sprintf("%d failed over: half within %s, 99 of 100 within %s, all within %s; %d calls, %d of them throttled, %d in an account's busiest second",
		len(p.took), at(50), at(99), at(100), p.calls, p.throttled, p.busiest)
}

// TestFleet is a plan past one machine, in virtual time: shards that share nothing, each
// of them an hour of an ordinary day, and then the loss of one zone in three. Each HAVIP
// has an instance in two of them.
func TestFleet(t *testing.T) {
	t.Parallel()
	var ordinary, lost phase
	for left := *fleetSize; left > 0; left -= shardSize {
		synctest.Test(t, func(t *testing.T) {
			s := newStorm(t, weather{havips: min(left, shardSize) / 2, throttle: shardRate, calm: true})
			defer s.sim.Close()
			rng := rand.New(rand.NewPCG(uint64(left), 1)) //nolint:gosec // not negative
			ordinary.add(s.during(func() { s.hour(t, rng) }))
			lost.add(s.during(func() { s.loseZone(t, rng) }))
			for _, p := range s.policies {
				if now, _ := s.sim.HAVIP(p.Cloud, p.ID); len(now.Holders) == 0 || inZone(now.Holders[0]) == 0 {
					t.Errorf("%s is held by %v", p.ID, now.Holders)
				}
			}
		})
	}
	t.Logf("an ordinary hour: %s", &ordinary)
	t.Logf("the loss of a zone: %s", &lost)
	if ordinary.throttled > ordinary.calls/100 || lost.throttled > lost.calls/20 {
		t.Error("calls are wasted")
	}
}

// inZone is where an instance is, by its number and its place among the members.
func inZone(instance string) int {
	var n, member int
	parts := strings.Split(instance, "-")
	_, err := fmt.Sscan(strings.Join(parts[len(parts)-2:], " "), &n, &member)
	if err != nil {
		panic(err)
	}
	return (n + member) % zones
}

// during counts what is asked of the clouds, and what ends, while something happens.
func (s *storm) during(something func()) (p phase) {
	began, before := time.Now(), len(s.ended())
	something()
	for _, o := range s.ended()[before:] {
		if o.Outcome == string(havip.Attached) {
			p.took = append(p.took, o.EndedAt.Sub(o.StartedAt))
		}
	}
	busy := map[string]int{}
	for _, c := range s.sim.Calls(simulator.CallFilter{}) {
		if c.Time.Before(began) {
			continue
		}
		p.calls++
		if throttled(c) {
			p.throttled++
		}
		second := fmt.Sprint(c.Cloud, c.Time.Unix())
		busy[second]++
		p.busiest = max(p.busiest, busy[second])
	}
	return p
}

// hour lets holders fail and come back as they do, and sweeps each minute.
func (s *storm) hour(tb testing.TB, rng *rand.Rand) {
	ctx, stop := context.WithTimeout(tb.Context(), time.Hour)
	defer stop()
	var all sync.WaitGroup
	for _, p := range s.policies {
		fails := time.Duration(rng.ExpFloat64() * float64(failsEvery))
		all.Go(func() {
			if !after(ctx, fails) {
				return
			}
			now, _ := s.sim.HAVIP(p.Cloud, p.ID)
			s.stop(tb, p, now.Holders[0])
			<-time.After(restarts)
			s.start(tb, p, now.Holders[0])
		})
	}
	for after(ctx, time.Minute) {
		s.tell(tb, events.Sweep{})
	}
	all.Wait()
	<-time.After(10 * time.Minute)
	synctest.Wait()
}

// loseZone stops all that is in one, of which each event is heard within a while.
func (s *storm) loseZone(tb testing.TB, rng *rand.Rand) {
	var all sync.WaitGroup
	for _, p := range s.policies {
		for _, m := range p.Members {
			heard := time.Duration(rng.Int64N(int64(noticed)))
			if inZone(m.ID) == 0 {
				all.Go(func() {
					<-time.After(heard)
					s.stop(tb, p, m.ID)
				})
			}
		}
	}
	all.Wait()
	for range 10 {
		<-time.After(time.Minute)
		s.tell(tb, events.Sweep{})
	}
	synctest.Wait()
}

func (s *storm) stop(tb testing.TB, p havip.Policy, instance string) {
	if err := s.sim.SetInstance(p.Cloud, instance, havip.Stopped); err != nil {
		tb.Error(err)
	}
	s.tell(tb, events.HealthFailed{Cloud: p.Cloud, Region: p.Region, Instance: instance})
}

func (s *storm) start(tb testing.TB, p havip.Policy, instance string) {
	if err := s.sim.SetInstance(p.Cloud, instance, havip.Running); err != nil {
		tb.Error(err)
	}
	s.tell(tb, events.InstanceStarted{Cloud: p.Cloud, Region: p.Region, Instance: instance})
}

// tell sends an event as a bus does, until it is acknowledged.
func (s *storm) tell(tb testing.TB, d events.Data) {
	ce, err := events.New(fmt.Sprint("e-", s.told.Add(1)), time.Now(), d).CloudEvent()
	if err != nil {
		tb.Error(err)
		return
	}
	payload, err := json.Marshal(ce)
	for err == nil {
		if s.function.Invoke(tb.Context(), payload) == nil {
			return
		}
		<-time.After(time.Second)
	}
	tb.Error(err)
}

// after waits, unless the context ends before.
func after(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
