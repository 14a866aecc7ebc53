package functions_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

// invocation is one attempt of a host to answer a message. It travels in the
// context, so that ledger, bus and clouds know who calls.
type invocation struct {
	*run
	msg    *message
	n      int // of the attempts
	began  time.Time
	rng    *rand.Rand
	ops    int
	what   string // the side effect at hand
	cancel context.CancelFunc
	slept  bool

	advanced bool                // a story went on in it
	hopped   bool                // it sent on a check that came early
	looks    map[string]*witness // the last one of each story
	leases   map[string]*lease   // by token
	downs    map[string]bool     // members that a survey found down
}

type invocationKey struct{}

func invocationOf(ctx context.Context) *invocation {
	return ctx.Value(invocationKey{}).(*invocation)
}

// crash is what a process that dies panics with.
type crash struct{}

// invoke hands a message to one of the hosts, and tells whether it acknowledged.
func (r *run) invoke(m *message, n int) (acked bool) {
	name := fmt.Sprintf("%s/%d", m.id, n)
	v := &invocation{run: r, msg: m, n: n, began: time.Now().UTC(), rng: r.chance(name),
		looks: map[string]*witness{}, leases: map[string]*lease{}, downs: map[string]bool{}}
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), invocationKey{}, v), r.plan.budget)
	v.cancel = cancel
	host := r.hosts[v.rng.IntN(len(r.hosts))]
	defer func() {
		cancel()
		r.mu.Lock()
		defer r.mu.Unlock()
		switch p := recover(); p.(type) {
		case nil, crash:
		default:
			r.fail(0, "a panic: %v\n%s", p, debug.Stack())
		}
		if acked {
			r.note("%s acknowledged", name)
			m.acked = true
			r.tape.onAck(r, v)
		}
	}()
	r.locked(func() { r.note("%s delivered", name) })
	err := host.Invoke(ctx, m.payload)
	v.lag() // who waited for its turn at an outbox may end at the same instant
	if err != nil {
		r.locked(func() { r.note("%s failed: %v", name, err); r.count("fault", "redelivered") })
	}
	return err == nil
}

func (r *run) locked(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
}

var errAbandoned = errors.New("the invocation was abandoned")

// lag is the time that any exchange takes; others come in between.
func (v *invocation) lag() {
	time.Sleep(time.Millisecond + time.Duration(v.rng.Int64N(int64(30*time.Millisecond))))
}

// side does something durable, which the process may not survive, or not reach.
func (v *invocation) side(ctx context.Context, what string, do func() error) error {
	v.lag()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ops++
	v.what = what
	if v.befalls(crashBefore) {
		panic(crash{})
	}
	if v.befalls(abandoned) {
		v.cancel()
	}
	if ctx.Err() != nil {
		return errAbandoned
	}
	err := do()
	if v.befalls(crashAfter) {
		panic(crash{})
	}
	return err
}

// befalls tells whether a mishap befalls the side effect at hand.
func (v *invocation) befalls(m mishap) bool {
	return v.happens(m, v.rng.Float64(), func() string { return fmt.Sprintf("%s/%d/%d %s", v.msg.id, v.n, v.ops, v.what) })
}
