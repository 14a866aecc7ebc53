package functions_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"havip-functions/events"
	"havip-functions/functions"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
)

// host is a process of ours: what only it remembers ends with it.
type host struct {
	flow.Function
	door flow.Door
	n    int

	dead bool // guarded by the run's mutex
}

// start builds a host as a new process would.
func (r *run) start(n int) *host {
	faulty, quiet := faultyLedger{run: r, Ledger: r.store}, slog.New(slog.DiscardHandler)
	f := heard(functions.New(flow.Function{
		Keeper: havip.Keeper{Ledger: faulty, Roster: r, Clouds: r.clouds, Probe: r.asks, Later: n == 1 && r.plan.seed%3 == 0, Clock: r.clock(n)},
		Watch:  time.Duration(1-n) * r.plan.watch,
		Ledger: faulty, Bus: r, Log: quiet, Seal: r.seal(),
	}))
	return &host{n: n, Function: f, door: flow.Door{Function: f, Guard: r.plan.guards[n], Log: quiet}}
}

// heard notes when an event arrived, by the host's own word. Before and after each
// handler a little time goes by: those who waited for the same comparison of clocks, or
// whose event was written down together, would go on at the same instant.
func heard(f flow.Function) flow.Function {
	for i, answer := range f.Handlers {
		f.Handlers[i] = func(ctx context.Context, e events.Event) ([]havip.Left, bool, error) {
			v := invocationOf(ctx)
			v.locked(func() { v.tape.onHeard(v, e) })
			v.lag()
			left, answered, err := answer(ctx, e)
			if answered {
				v.lag()
			}
			return left, answered, err
		}
	}
	return f
}

// crash ends the process of an invocation, and with it all others that it runs; a new
// one takes its place.
func (v *invocation) crash() {
	v.crashed = true
	if !v.host.dead {
		v.restart(v.host.n)
	}
	panic(crash{})
}

func (r *run) restart(n int) {
	r.hosts[n].dead = true
	r.hosts[n] = r.start(n)
	r.count("fault", "a process begins anew")
}

// invocation is one attempt of a host to answer a message. It travels in the
// context, so that ledger, bus and clouds know who calls.
type invocation struct {
	*run
	host    *host
	msg     *message
	n       int // of the attempts
	began   time.Time
	rng     *rand.Rand
	ops     int
	what    string    // the side effect at hand
	saving  time.Time // when it began to write what it writes
	cancel  context.CancelFunc
	slept   bool
	crashed bool

	advanced bool                // a story went on in it
	hopped   bool                // it sent on a check that came early
	looks    map[string]*witness // the last one of each story
	leases   map[string]*lease   // by token
	downs    map[string]bool     // members that a survey found down
	ups      map[string]bool     // and those that run
	surveys  map[string]truths   // of the HAVIPs that it listed
	asked    map[string]asked    // by HAVIP, the last time
}

type invocationKey struct{}

func invocationOf(ctx context.Context) *invocation {
	return ctx.Value(invocationKey{}).(*invocation)
}

// crash is what a process that dies panics with.
type crash struct{}

// attempt gives a message to one of the hosts, and tells whether that was the last time:
// it was acknowledged, or refused.
func (r *run) attempt(m *message, n int) (done bool) {
	acked := false
	name := fmt.Sprintf("%s/%d", m.id, n)
	v := &invocation{run: r, msg: m, n: n, began: time.Now().UTC(), rng: r.chance(name),
		looks: map[string]*witness{}, leases: map[string]*lease{}, downs: map[string]bool{}, ups: map[string]bool{}, surveys: map[string]truths{}, asked: map[string]asked{}}
	budget := r.plan.budget
	if m.forged {
		budget = min(budget, 20*time.Second) // it may have to wait for an hour, and is sent on instead
	}
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), invocationKey{}, v), budget)
	v.cancel = cancel
	r.locked(func() {
		v.host = r.hosts[m.way.host(v.rng, r.plan)]
		r.note("%s delivered", name)
	})
	defer func() {
		cancel()
		r.mu.Lock()
		defer r.mu.Unlock()
		if p := recover(); p != nil && !v.crashed { // who writes for others catches what they do
			r.fail(0, "a panic: %v\n%s", p, debug.Stack())
		}
		if acked {
			r.note("%s acknowledged", name)
			m.acked = true
			r.tape.onAck(r, v)
		}
	}()
	if m.way.sender.name != "" {
		acked, done = v.knock(ctx)
		return done
	}
	err := v.host.Invoke(ctx, m.payload)
	v.lag() // who waited for its turn at an outbox may end at the same instant
	if err != nil {
		r.locked(func() { r.note("%s failed: %v", name, err); r.count("fault", "redelivered") })
	}
	acked = err == nil
	return acked
}

func (r *run) locked(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
}

var errAbandoned = errors.New("the invocation was abandoned")

// lag is the time that any exchange takes; others come in between, and the process
// may have died meanwhile.
func (v *invocation) lag() {
	time.Sleep(time.Millisecond + time.Duration(v.rng.Int64N(int64(30*time.Millisecond))))
	v.locked(v.alive)
}

func (v *invocation) alive() {
	if v.host.dead {
		v.crash()
	}
}

// side does something durable, which the process may not survive, or not reach.
func (v *invocation) side(ctx context.Context, what string, do func() error) error {
	v.lag()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.trespass(what)
	v.ops++
	v.what = what
	if v.befalls(crashBefore) {
		v.crash()
	}
	if v.befalls(abandoned) {
		v.cancel()
	}
	if ctx.Err() != nil {
		return errAbandoned
	}
	err := do()
	if v.befalls(crashAfter) {
		v.crash()
	}
	return err
}

// befalls tells whether a mishap befalls the side effect at hand.
func (v *invocation) befalls(m mishap) bool {
	return v.happens(m, v.rng.Float64(), func() string { return fmt.Sprintf("%s/%d/%d %s", v.msg.id, v.n, v.ops, v.what) })
}
