package functions_test

import (
	"time"

	"havip-functions/shared/havip"
)

// drawNews draws an event and what goes with it in the world.
func (d *drawing) drawNews(id string, at time.Duration) {
	p := pick(d.Rand, d.policies...)
	m := pick(d.Rand, p.Members...)
	if d.edited && d.coin(0.2) {
		m = member(p, d.IntN(machines))
	}
	n := news{
		id: id, source: urn, at: at, cloud: p.Cloud, region: p.Region, stamp: -d.upTo(2 * time.Second),
		kind: pick(d.Rand, havip.AskFailed, havip.AskFailed, havip.AskFailed, havip.AskFailed, havip.AskStarted,
			havip.AskStarted, havip.AskRestored, havip.AskRecover, havip.AskRecover, havip.AskSweep),
		ask: havip.Ask{Instance: pick(d.Rand, m.ID, m.Instance), Reason: "drawn"},
	}
	d.bend(&n)
	d.send(&n)
	switch {
	case n.garbage != "":
	case n.kind == havip.AskRecover:
		d.recover(&n, p)
	case n.kind == havip.AskSweep:
		n.ask.Instance = ""
	case !n.taken():
	case n.kind == saidOutcome:
		n.havip = p.ID
	default:
		d.mirror(n, p.Cloud, m.Instance)
	}
	d.stretch(&n, p)
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
