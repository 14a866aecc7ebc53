package functions_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// plan is all that a seed draws before it runs. What happens while it runs is
// drawn from the seed too, by name: leaving a part of the plan out changes
// little of the rest, so that a failing plan can be shrunk.
type plan struct {
	seed     uint64
	sdk      bool // the real adapters
	policies []havip.Policy
	world    simulator.World
	moves    time.Duration // an attach or a detach takes so long
	masters  time.Duration // VRRP takes so long
	budget   time.Duration // of an invocation
	sweeps   time.Duration // between two sweeps; 0 for none before the calm
	watch    time.Duration // how long an invocation looks on
	brake    havip.Brake
	dedupe   bool             // the bus swallows a message id that it had before
	off      [2]time.Duration // how far each host's clock is ahead
	edited   bool             // the roster changes under way
	guards   [2]guard.Guard   // of the hosts' doors
	doors    bool             // events come over HTTP too
	sealed   bool             // follow-ups go over a bus on which others may send
	news     []news
	upsets   []upset
	odds     map[mishap]float64
	without  map[string]bool // what shrinking left out
}

// upset is something that goes wrong, or right again, in the world.
type upset struct {
	id   string
	at   time.Duration
	what string // for the report
	do   func(*run)
}

// horizon is when everything has gone wrong that will.
const horizon = 10 * time.Minute

func draw(seed uint64, sdk bool) *plan {
	d := &drawing{Rand: rand.New(rand.NewPCG(seed, 1)), plan: &plan{seed: seed, sdk: sdk, without: map[string]bool{}}}
	d.moves = pick(d.Rand, -1, 500*time.Millisecond, 2*time.Second, 2*time.Second, 7*time.Second)
	d.masters = pick(d.Rand, -1, time.Second, time.Second, 4*time.Second)
	d.budget = pick(d.Rand, 20*time.Second, time.Minute, 10*time.Minute)
	d.dedupe = d.coin(0.5)
	d.watch = pick(d.Rand, 0, 3*time.Second)
	d.brake = pick(d.Rand, havip.Brake{}, havip.Brake{Failovers: 10, Within: 10 * time.Minute}, havip.Brake{Failovers: 2, Within: 3 * time.Minute})
	d.drawClocks()
	d.edited = d.coin(0.25)
	d.sealed = d.coin(0.25)
	d.drawDoors()
	d.drawWorld()
	if seed%floodEvery == 3 {
		d.drawFlood()
		return d.plan
	}
	n := 1 + d.IntN(4)
	switch {
	case d.coin(0.1):
		n = 10 + d.IntN(11)
	case d.coin(0.3):
		n = 5 + d.IntN(5)
	}
	at := time.Duration(0)
	for i := range n {
		at += d.gap()
		d.drawNews(fmt.Sprintf("e%d", i), min(at, horizon))
	}
	for i := range d.IntN(6) {
		d.drawUpset(fmt.Sprintf("u%d", i), d.upTo(min(at+time.Minute, horizon)))
	}
	if d.coin(0.002) {
		d.drawCrowd()
	}
	d.drawBatches()
	d.drawForgeries()
	d.drawEdits()
	d.drawOdds()
	d.drawServing()
	if d.coin(0.7) || d.odds[loseFollowUp] > 0 {
		d.sweeps = pick(d.Rand, 30*time.Second, time.Minute, 2*time.Minute)
	}
	return d.plan
}

type drawing struct {
	*rand.Rand
	*plan
}

func (d *drawing) coin(p float64) bool { return d.Float64() < p }
func (d *drawing) upTo(most time.Duration) time.Duration {
	return time.Duration(d.Int64N(int64(most) + 1))
}
func (d *drawing) from(low, most time.Duration) time.Duration { return low + d.upTo(most-low) }

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// gap is the time to the next event: most come in bursts.
func (d *drawing) gap() time.Duration {
	switch d.IntN(4) {
	case 0:
		return d.upTo(time.Second)
	case 1:
		return d.upTo(15 * time.Second)
	case 2:
		return d.upTo(90 * time.Second)
	default:
		return d.upTo(4 * time.Second)
	}
}

func (d *drawing) drawOdds() {
	d.odds = map[mishap]float64{}
	for _, m := range mishaps {
		if d.coin(0.25) {
			d.odds[m] = pick(d.Rand, 0.01, 0.03, 0.1)
		}
	}
}
