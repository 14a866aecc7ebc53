package functions_test

import (
	"fmt"
	"math/rand/v2"
	"time"

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
	news     []news
	upsets   []upset
	odds     map[mishap]float64
	without  map[string]bool // what shrinking left out
}

// news is an event from outside.
type news struct {
	id      string
	at      time.Duration
	kind    havip.Kind // "" for what is none of ours
	cloud   string
	stamp   time.Duration // what its clock says, relative to at
	ask     havip.Ask
	havip   string
	region  string
	expiry  time.Duration // relative to at; 0 for never
	dryRun  bool
	garbage string
	copies  []time.Duration // when it comes again
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
	d.drawWorld()
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
	d.drawEdits()
	d.drawOdds()
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

// drawNews draws an event and what goes with it in the world.
func (d *drawing) drawNews(id string, at time.Duration) {
	p := pick(d.Rand, d.policies...)
	m := pick(d.Rand, p.Members...)
	if d.edited && d.coin(0.2) {
		m = member(p, d.IntN(machines))
	}
	n := news{
		id: id, at: at, cloud: p.Cloud, region: p.Region, stamp: -d.upTo(2 * time.Second),
		kind: pick(d.Rand, havip.AskFailed, havip.AskFailed, havip.AskFailed, havip.AskFailed, havip.AskStarted,
			havip.AskStarted, havip.AskRestored, havip.AskRecover, havip.AskRecover, havip.AskSweep),
		ask: havip.Ask{Instance: pick(d.Rand, m.ID, m.Instance)},
	}
	d.bend(&n)
	switch {
	case n.garbage != "":
	case n.kind == havip.AskRecover:
		d.recover(&n, p)
	case n.kind == havip.AskSweep:
		n.ask.Instance = ""
	default:
		d.mirror(n, p.Cloud, m.Instance)
	}
	for d.coin(0.25) {
		n.copies = append(n.copies, d.upTo(pick(d.Rand, time.Second, 10*time.Second, horizon)))
	}
	d.news = append(d.news, n)
}

// bend makes some events stale, early, off the roster or unreadable.
func (d *drawing) bend(n *news) {
	switch d.IntN(20) {
	case 0:
		n.stamp = -d.upTo(2 * time.Minute)
	case 1:
		n.stamp = -d.upTo(40 * time.Hour)
	case 2:
		n.stamp = d.upTo(time.Hour)
	case 3:
		n.ask.Instance = "i-nobody"
	case 4:
		n.region = pick(d.Rand, "", "nowhere")
	case 5:
		n.expiry = d.from(-time.Minute, 3*time.Second)
	case 7:
		d.tie(n)
	case 6:
		n.kind, n.garbage = "", pick(d.Rand, "{", `{"specversion":"1.0"}`, "[]x", `{"specversion":"1.0","id":"x","source":"y","type":"havip.recover","data":{"cloud":"moon"}}`)
	}
	if n.region == "nowhere" && n.kind == havip.AskSweep {
		n.region = ""
	}
}

// tie gives an event the very stamp of an earlier one about the same instance.
func (d *drawing) tie(n *news) {
	for _, other := range d.news {
		if other.cloud == n.cloud && other.ask.Instance == n.ask.Instance && other.garbage == "" {
			n.stamp = other.at + other.stamp - n.at
		}
	}
}

func (d *drawing) recover(n *news, p havip.Policy) {
	n.havip = pick(d.Rand, p.ID, p.ID, p.Name)
	if n.region == "" {
		n.region = p.Region
	}
	if d.coin(0.5) && n.ask.Instance != "i-nobody" {
		n.ask.Instance = ""
	}
	if d.coin(0.4) {
		n.ask.Release = pick(d.Rand, p.Members...).ID
	}
	n.ask.Force, n.ask.AllowGap, n.dryRun = d.coin(0.3), d.coin(0.3), d.coin(0.1)
	n.ask.Actor, n.ask.Reason = "somebody", "a drill"
}

// mirror lets the world follow an event, most of the time.
func (d *drawing) mirror(n news, cloud, instance string) {
	if d.coin(0.1) && n.kind != havip.AskFailed {
		return
	}
	up := n.kind != havip.AskFailed
	switch {
	case up:
		d.state(n.id+"+", max(0, n.at-d.upTo(2*time.Second)), cloud, instance, pick(d.Rand, havip.Running, havip.Running, havip.Running, havip.Starting))
		d.state(n.id+"++", n.at+d.upTo(20*time.Second), cloud, instance, havip.Running)
	case d.coin(0.5): // keepalived failed, the instance runs on
	default:
		d.state(n.id+"-", max(0, n.at-d.upTo(2*time.Second)), cloud, instance, pick(d.Rand, havip.Stopped, havip.Stopped, havip.Stopping))
		if d.coin(0.4) {
			d.state(n.id+"--", n.at+d.upTo(2*time.Minute), cloud, instance, havip.Running)
		}
	}
}
