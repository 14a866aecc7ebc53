// Package simulator is a local copy of the HAVIP services of both clouds: one
// world of addresses and instances, two dialects on the wire.
package simulator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Options shape a simulator. The zero value is the built-in world in its own time.
type Options struct {
	World         World         // the zero value: Builtin()
	AssociateTime time.Duration // attach and detach take so long; 0 is 2s, negative is immediate
	MasterTime    time.Duration // a standby announces the address so long after its guest went; 0 is 3.6s, as keepalived, negative is immediate
	Seed          int64         // of request ids, temporary keys and the draws of faults
	Faults        []Fault       // in force from the start, and again after a reset
}

// Simulator is both clouds at once. Its methods may be called at any time by any
// number of goroutines. It has no goroutine of its own but those that deliver
// events, which end with Close.
type Simulator struct {
	options Options
	alarm   notifier

	mu      sync.Mutex // guards everything below
	rng     *rand.Rand
	world   *world
	faults  []*armedFault
	calls   journal
	nonces  recent[string, struct{}]
	tokens  recent[tokenKey, tokenUse]
	session recent[string, credential] // temporary keys by their id
}

// New builds a simulator. It refuses a world or faults that contradict themselves.
func New(o Options) (*Simulator, error) {
	if len(o.World.Alibaba)+len(o.World.Baidu) == 0 {
		o.World = Builtin()
	}
	if err := o.World.Check(); err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	o.AssociateTime = defaulted(o.AssociateTime, 2*time.Second)
	o.MasterTime = defaulted(o.MasterTime, takeOver)
	s := &Simulator{options: o}
	for i, f := range o.Faults {
		if err := f.check(); err != nil {
			return nil, fmt.Errorf("simulator: fault %d: %w", i+1, err)
		}
	}
	s.alarm.start()
	s.Reset()
	return s, nil
}

// Reset puts world, calls, faults and draws back to where they began. Where
// events are sent stays as it is.
func (s *Simulator) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rng = rand.New(rand.NewPCG(uint64(s.options.Seed), 0x68617669))
	s.world = newWorld(s.options)
	s.faults = nil
	for _, f := range s.options.Faults {
		s.faults = append(s.faults, &armedFault{Fault: f})
	}
	s.calls = journal{}
	s.nonces = recent[string, struct{}]{lives: 2 * skew}
	s.tokens = recent[tokenKey, tokenUse]{lives: tokensLive}
	s.session = recent[string, credential]{lives: longestSession}
}

// Close gives up the events still under way and waits until their deliveries
// have ended. The handlers go on answering.
func (s *Simulator) Close() { s.alarm.stop() }

// Alibaba answers Vpc 2016-04-28, Ecs 2014-05-26 and Sts 2015-04-01, which are
// told apart by Action and Version.
func (s *Simulator) Alibaba() http.Handler { return s.handler(&alibaba) }

// Baidu answers /v1/havip and the instance lists of /v2/instance.
func (s *Simulator) Baidu() http.Handler { return s.handler(&baidu) }

func (s *Simulator) handler(d *dialect) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.answer(d, r).write(r.Context(), w)
	})
}

// HAVIP reads one as GET /world shows it.
func (s *Simulator) HAVIP(cloud, id string) (HAVIP, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.world.address(cloud, id)
	if a == nil {
		return HAVIP{}, false
	}
	a.settle(time.Now())
	return a.snapshot(), true
}

// World reads everything as GET /world shows it.
func (s *Simulator) World() World {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.snapshot(time.Now())
}

// takeOver is how long a backup of keepalived waits for its master, with its usual
// priority 100 and an advertisement a second: three of them and a skew of (256 − 100) ÷
// 256 s (https://datatracker.ietf.org/doc/html/rfc5798#section-6.1).
const takeOver = 3600 * time.Millisecond

func defaulted(d, standard time.Duration) time.Duration {
	switch {
	case d == 0:
		return standard
	case d < 0:
		return 0
	default:
		return d
	}
}

// pause waits, or returns earlier when the context ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
