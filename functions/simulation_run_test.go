package functions_test

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/simulator"
)

// run is a plan under way. On virtual time no two of its goroutines ever run at
// the same instant, since each waits for a time of its own: it is the same every
// time. The mutex is for the race detector.
type run struct {
	plan  *plan
	sim   *simulator.Simulator
	hosts []*host
	store ledger.Ledger // without faults
	began time.Time
	busy  sync.WaitGroup
	swept time.Time // when the last sweep began

	mu         sync.Mutex // guards what follows
	calm       bool       // nothing goes wrong any more
	over       bool
	ledgerDown bool
	right      [2]bool        // the machine's clock was set right
	slack      time.Duration  // how far a host's time may be off
	written    []havip.Policy // what the roster says, of those too that are gone from it
	gone       map[string]bool
	sealKeys   string
	editions   []edition
	busDown    bool
	pending    int // messages under way
	published  map[string]int
	forced     map[string]bool // HAVIPs whose status was set by hand
	struck     []string
	story      []string // what happened, where somebody wants to know
	telling    bool
	tally      tally
	tape       tape
	failure    *violation
}

// violation is a promise that was not kept; promise 0 is none of the ten.
type violation struct {
	promise int
	what    string
}

func (v *violation) Error() string { return fmt.Sprintf("promise %d: %s", v.promise, v.what) }

// play runs the plan to its end in a bubble of its own.
func (p *plan) play(t *testing.T, telling bool) (r *run) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		r = &run{plan: p, began: time.Now(), published: map[string]int{}, forced: map[string]bool{}, gone: map[string]bool{}, telling: telling, tally: tally{}, sealKeys: sealKey}
		r.tape = newTape(p)
		r.build()
		r.live()
	})
	return r
}

func (r *run) build() {
	sim, err := simulator.New(simulator.Options{
		World: r.plan.world, AssociateTime: r.plan.moves, MasterTime: r.plan.masters, Seed: int64(r.plan.seed),
	})
	r.must(err)
	r.sim = sim
	r.store = ledger.NewMemory()
	r.edit(func() { r.written = slices.Clone(r.plan.policies) })
	for n := range 2 {
		r.hosts = append(r.hosts, r.start(n))
	}
}

// live is the seed's life: everything goes wrong, then nothing, then all of it
// is said once more.
func (r *run) live() {
	defer r.sim.Close()
	end := r.storm()
	r.sleepUntil(end)
	r.quiet()
	r.encore()
	r.mu.Lock()
	r.over = true
	r.atTheEnd()
	r.mu.Unlock()
	r.busy.Wait()
}

// storm sets off all that was drawn, and returns when the last of it happens.
func (r *run) storm() time.Duration {
	var last time.Duration
	batches := map[string][]*news{}
	for i := range r.plan.news {
		n := &r.plan.news[i]
		if r.plan.without[n.id] {
			continue
		}
		last = max(last, n.at)
		if n.batch == "" {
			r.deliverNews(n.id, n.at, n)
		} else {
			batches[n.batch] = append(batches[n.batch], n)
		}
		for i, later := range n.copies {
			if id := fmt.Sprintf("%s again %d", n.id, i+1); !r.plan.without[id] {
				r.deliverNews(id, n.at+later, n)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(batches)) {
		r.deliverNews(id, batches[id][len(batches[id])-1].at, batches[id]...)
	}
	for _, u := range r.plan.upsets {
		if r.plan.without[u.id] {
			continue
		}
		last = max(last, u.at)
		r.later(u.at+r.jitter(u.id), func() {
			r.locked(func() { r.note("%s: %s", u.id, u.what); r.count("fault", u.what) })
			u.do(r)
		})
	}
	last += 5 * time.Second
	if r.plan.sweeps > 0 {
		for at := r.plan.sweeps; at < last; at += r.plan.sweeps {
			r.deliverSweep(at)
		}
	}
	return last
}

// later does something once its time has come.
func (r *run) later(at time.Duration, do func()) {
	r.busy.Go(func() {
		r.sleepUntil(at)
		deepen()
		do()
	})
}

// deepen lets the stack grow once, to what an invocation needs, and not step by step.
//
//go:noinline
func deepen() {
	var room [24 << 10]byte
	runtime.KeepAlive(&room)
}

func (r *run) sleepUntil(at time.Duration) { time.Sleep(time.Until(r.began.Add(at))) }

// quiet ends all faults and sweeps until the HAVIPs have come to rest.
func (r *run) quiet() {
	r.sim.ClearFaults()
	r.mu.Lock()
	r.calm, r.ledgerDown, r.busDown = true, false, false
	r.note("calm")
	r.mu.Unlock()
	r.edit(func() { clear(r.gone) })
	for _, p := range r.plan.policies {
		r.rest(p)
		r.freeze(p, time.Now())
	}
	r.mend()
	const most, atRest = 40, 3
	rested, known := 0, 0
	for range most {
		time.Sleep(20 * time.Second)
		_, err := r.hand().Lift(context.Background())
		r.must(err)
		r.swept = time.Now()
		r.deliverSweep(time.Since(r.began))
		time.Sleep(10 * time.Second)
		now := r.resting()
		if rested++; now == 0 || now > known {
			rested = 0
		}
		known = now
		if rested == atRest {
			return
		}
	}
	r.locked(func() { r.fail(4, "does not come to rest: %s", r.unrest()) })
}

// mend lets instances that are on their way arrive.
func (r *run) mend() {
	for _, cloud := range []string{"alibaba", "baidu"} {
		for n := range machines + 1 {
			switch r.instance(cloud, machine(n)) {
			case havip.Pending, havip.Starting:
				r.must(r.sim.SetInstance(cloud, machine(n), havip.Running))
			case havip.Stopping:
				r.must(r.sim.SetInstance(cloud, machine(n), havip.Stopped))
			case havip.Running, havip.Stopped, havip.Deleted:
			}
		}
	}
}

func (r *run) instance(cloud, id string) havip.InstanceState {
	w := r.sim.World()
	realm := w.Alibaba[0]
	if cloud == "baidu" {
		realm = w.Baidu[0]
	}
	i := slices.IndexFunc(realm.Instances, func(i simulator.Instance) bool { return i.ID == id })
	return realm.Instances[i].State
}

// encore delivers every event again: promise 5 says that nothing follows. A
// sweep is left out, since it looks at how things are now.
func (r *run) encore() {
	r.mu.Lock()
	r.tape.encore = true
	r.note("encore")
	r.mu.Unlock()
	for i := range r.plan.news {
		n := &r.plan.news[i]
		if !r.plan.without[n.id] && n.kind != havip.AskSweep && !r.isNew(*n) && (!n.crowd || i%20 == 0) {
			r.deliverNews(n.id+" encore", time.Since(r.began)+r.jitter(n.id), n)
		}
	}
	time.Sleep(time.Minute)
}

// isNew tells whether an event concerns a HAVIP which has never heard of it, since
// the roster was another when it came: to that one it is the first of its kind.
func (r *run) isNew(n news) bool {
	return slices.ContainsFunc(r.Policies(), func(p havip.Policy) bool {
		return n.concerns(p) && r.tape.shelf(p).seen[n.key()] == ""
	})
}

func (r *run) must(err error) {
	if err != nil {
		r.locked(func() { r.fail(0, "the simulation itself: %v", err) })
	}
}

// fail is for who holds the mutex, as are note and count.
func (r *run) fail(promise int, format string, args ...any) {
	if r.failure == nil {
		r.failure = &violation{promise, fmt.Sprintf(format, args...)}
		r.note("VIOLATION of %v", r.failure)
	}
}

func (r *run) failIf(promise int, err error) {
	if err != nil {
		r.fail(promise, "%v", err)
	}
}

// note keeps what happened, where somebody wants to read it.
func (r *run) note(format string, args ...any) {
	if r.telling {
		r.story = append(r.story, fmt.Sprintf("%10.3fs  ", time.Since(r.began).Seconds())+fmt.Sprintf(format, args...))
	}
}

func (r *run) count(kind, what string) { r.tally[kind+"\t"+what]++ }
