package functions_test

import (
	"time"

	"havip-functions/shared/simulator"
)

// mishap is what may befall one side effect or one message of ours.
type mishap string

// The mishaps.
const (
	crashBefore    mishap = "crash before a side effect"
	crashAfter     mishap = "crash after a side effect"
	abandoned      mishap = "context abandoned"
	asleep         mishap = "asleep for longer than settle"
	ledgerAway     mishap = "ledger: away"
	ledgerSlow     mishap = "ledger: slow"
	ledgerLost     mishap = "ledger: reply lost after the effect"
	ledgerConflict mishap = "ledger: conflict with itself"
	ledgerLate     mishap = "ledger: write arrives after its time-out"
	ledgerPartly   mishap = "ledger: a part of a batch"
	busAway        mishap = "bus: away"
	busLost        mishap = "bus: reply lost after the effect"
	busTwice       mishap = "bus: delivered twice"
	busEarly       mishap = "bus: delivered early"
	busLate        mishap = "bus: delivered late"
	loseFollowUp   mishap = "bus: follow-up lost"
	wireLost       mishap = "wire: reply lost"
	wireCut        mishap = "wire: call lost"
	wireLate       mishap = "wire: call arrives after its time-out"
	lateAnswer     mishap = "probe: no answer in time"
)

var mishaps = []mishap{
	crashBefore, crashAfter, abandoned, asleep, ledgerAway, ledgerSlow, ledgerLost, ledgerConflict,
	busAway, busLost, busTwice, busEarly, busLate, loseFollowUp, wireLost, wireCut, wireLate,
	lateAnswer, ledgerLate, ledgerPartly,
}

// operations of the clouds that faults are drawn for, the mutating ones first.
var operations = map[string][]string{
	"alibaba": {"AssociateHaVip", "UnassociateHaVip", "DescribeHaVips", "DescribeInstances"},
	"baidu":   {"AttachHaVip", "DetachHaVip", "GetHaVip", "ListInstances"},
}

// drawFault draws one of the simulator's own faults, or an outage of ours.
func (d *drawing) drawFault(id string, at time.Duration, cloud string) {
	f := simulator.Fault{Cloud: cloud, Operation: pick(d.Rand, operations[cloud]...), Times: 1 + d.IntN(3)}
	what := ""
	switch d.IntN(14) {
	case 0:
		f.Times, f.Operation, f.ThrottlePerSecond, what = 0, "", 1+d.IntN(3), "throttled"
		d.clearing(id+"!", at+d.upTo(2*time.Minute))
	case 1:
		f.Delay, what = d.upTo(20*time.Second), "slow call"
	case 2:
		f.LoseReply, what = true, "reply lost"
	case 3:
		f.Cut, what = true, "connection cut"
	case 4:
		f.Operation, f.Stuck, what = operations[cloud][d.IntN(2)], true, "stuck"
		d.clearing(id+"!", at+d.upTo(4*time.Minute))
	case 5:
		f.Redirect, what = true, "redirect"
	case 6:
		f.HTML, what = true, "bad gateway"
	case 7:
		f.NumericCode, what = true, "numeric code"
	case 8:
		f.SlowBody, what = d.upTo(20*time.Second), "slow body"
	case 9:
		d.outage(id, at, "ledger outage", func(r *run, away bool) { r.ledgerDown = away })
		return
	case 10:
		d.outage(id, at, "bus outage", func(r *run, away bool) { r.busDown = away })
		return
	case 11: // for as long as somebody forgot the right
		f.Times, f.Operation, what = 0, operations[cloud][3], "Fleet refused"
		f.Error = &simulator.FaultError{Code: map[string]string{"alibaba": "Forbidden.RAM", "baidu": "AccessDenied"}[cloud]}
		if d.coin(0.5) {
			d.clearing(id+"!", at+d.upTo(4*time.Minute))
		}
	default:
		code := pick(d.Rand, simulator.Codes(cloud)...)
		f.Operation = operations[cloud][d.IntN(3)]
		f.Error = &simulator.FaultError{Code: code}
		d.upset(id, at, "forced code "+cloud+" "+code, func(r *run) { r.must(r.sim.AddFault(f)) })
		return
	}
	d.upset(id, at, "cloud: "+what, func(r *run) { r.must(r.sim.AddFault(f)) })
}

func (d *drawing) clearing(id string, at time.Duration) {
	d.upset(id, at, "cloud: faults cleared", func(r *run) { r.sim.ClearFaults() })
}

func (d *drawing) outage(id string, at time.Duration, what string, set func(r *run, away bool)) {
	d.upset(id, at, what, func(r *run) { r.locked(func() { set(r, true) }) })
	d.upset(id+"!", at+d.upTo(90*time.Second), what+" ends", func(r *run) { r.locked(func() { set(r, false) }) })
}

// happens tells whether a mishap befalls what the key names, and writes it down.
func (r *run) happens(m mishap, roll float64, key func() string) bool {
	if r.calm || roll >= r.plan.odds[m] {
		return false
	}
	what := string(m) + " at " + key()
	if r.plan.without[what] {
		return false
	}
	r.struck = append(r.struck, what)
	r.note("%s", what)
	r.count("fault", string(m))
	return true
}
