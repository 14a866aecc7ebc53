package functions_test

import (
	"fmt"
	"strings"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// What a field may have at most, in bytes; and a follow-up of ours, since that is
// what the smallest bus takes.
const (
	maxName     = 256
	maxProse    = 1000
	maxFollowUp = 128 << 10
)

// What is counted of them.
const (
	atBounds   = "extreme: fields at their bounds"
	inCrowd    = "extreme: one of a hundred at once"
	afterFlood = "extreme: the same event after 2,000 others"
)

// letters are those that grow when they are written, each in its own way. Names have
// none beyond ASCII, and a source is a URI reference.
var (
	letters     = []string{`"`, "<", `\`, "\u2028", "é", "漢", "😀", "%", "a"}
	nameLetters = []string{`"`, "<", `\`, "&", "%", "a"}
	uriLetters  = []string{"'", "&", "%22", "a"}
)

// fill makes a text of so many bytes, or a few less, of one letter.
func fill(begin, letter string, most int) string {
	return begin + strings.Repeat(letter, max(0, most-len(begin))/len(letter))
}

// stretch brings some of an event's fields to their bounds.
func (d *drawing) stretch(n *news, p havip.Policy) {
	if n.garbage != "" || !d.coin(0.1) {
		return
	}
	n.stretched = true
	letter, narrow := pick(d.Rand, letters...), pick(d.Rand, nameLetters...)
	for range 1 + d.IntN(3) {
		switch d.IntN(8) {
		case 0:
			n.as = fill(n.id, letter, maxName)
		case 1:
			n.source = fill("/", pick(d.Rand, uriLetters...), maxName)
		case 2:
			n.ask.Reason = fill("", letter, maxProse)
		case 3:
			n.timeless = true
		case 4:
			n.havip = pick(d.Rand, p.ID, p.Name, "havip-nobody", fill("h", narrow, maxName))
		case 5:
			n.region = pick(d.Rand, p.Region, "nowhere", fill("r", narrow, maxName))
		case 6:
			if n.kind == havip.AskRecover {
				n.ask.Actor, n.ask.Release = fill("", letter, maxName), pick(d.Rand, n.ask.Release, fill("", narrow, maxName))
			}
		default:
			if n.kind != havip.AskSweep {
				n.ask.Instance = fill("i-", narrow, maxName)
			}
		}
	}
}

// drawCrowd lets many events about one HAVIP come at the same instant.
func (d *drawing) drawCrowd() {
	p, at := pick(d.Rand, d.policies...), d.upTo(time.Minute)
	for i := range 50 + d.IntN(151) {
		n := news{
			id: fmt.Sprintf("c%d", i), source: urn, at: at, cloud: p.Cloud, region: p.Region, havip: p.ID, stamp: -d.upTo(time.Second), crowd: true,
			kind: pick(d.Rand, havip.AskFailed, havip.AskFailed, havip.AskRestored, havip.AskStarted),
			ask:  havip.Ask{Instance: pick(d.Rand, p.Members...).ID, Reason: fill("", pick(d.Rand, letters...), maxProse)},
		}
		if d.coin(0.03) {
			n.kind = havip.AskRecover
			d.recover(&n, p)
		}
		n.as = fill(n.id, pick(d.Rand, letters...), maxName)
		d.news = append(d.news, n)
	}
}

// floodEvery is how often a seed is a flood.
const floodEvery = 10_000

// drawFlood is a small story with thousands of facts: what came before them is known
// all the same when it comes again.
func (d *drawing) drawFlood() {
	d.policies = d.policies[:1]
	p := &d.policies[0]
	p.Mode, p.Deadline, p.MarkTTL = havip.Act, 5*time.Minute, 24*time.Hour
	first := news{
		id: "e0", source: urn, cloud: p.Cloud, region: p.Region, havip: p.ID, kind: havip.AskRecover,
		ask:    havip.Ask{Instance: p.Members[0].ID, Force: true, AllowGap: true, Reason: "a drill", Actor: "somebody"},
		copies: []time.Duration{270 * time.Second},
	}
	d.news = append(d.news, first)
	status := havip.Status("Creating")
	d.upset("moves", 20*time.Second, "a third party moves it for long", func(r *run) {
		r.meddled(*p)
		r.must(r.sim.SetHAVIP(p.Cloud, p.ID, simulator.HAVIPChange{Status: &status}))
		r.locked(func() { r.forced[p.ID] = true })
	})
	const many, from, gap = 2100, 21 * time.Second, 110 * time.Millisecond
	for i := range many {
		d.news = append(d.news, news{
			id: fmt.Sprintf("c%d", i), source: urn, at: from + time.Duration(i)*gap, cloud: p.Cloud, region: p.Region, crowd: true,
			kind: havip.AskFailed, ask: havip.Ask{Instance: p.Members[0].ID},
		})
	}
}

// checkExtreme counts what was extreme about an event that was taken, such as that it
// came again after more than 2,000 others. That it changes nothing then is promise 5,
// of any event.
func (r *run) checkExtreme(n *news) {
	switch {
	case n.stretched:
		r.count("fault", atBounds)
	case n.crowd:
		r.count("fault", inCrowd)
	}
	others := 0
	for _, s := range r.tape.shelves {
		others = max(others, len(s.seen))
	}
	if others > 2000 && !n.crowd {
		r.count("fault", afterFlood)
	}
}
