package functions_test

import (
	"context"
	"time"

	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
)

// drawClocks sets the clocks of some seeds' hosts wrong; the ledger's is right.
func (d *drawing) drawClocks() {
	if !d.coin(0.2) {
		return
	}
	for n := range d.off {
		off := pick(d.Rand, 0, d.from(0, 3*time.Second), d.from(2*time.Minute, 20*time.Minute), d.from(2*time.Minute, 20*time.Minute))
		d.off[n] = pick(d.Rand, off, -off)
	}
	if d.coin(0.3) {
		n := d.IntN(len(d.off))
		d.upset("clock", d.upTo(horizon), "clock: set right, and the process begins anew", func(r *run) {
			r.locked(func() { r.right[n] = true; r.restart(n) })
		})
	}
}

// clock is that of a host whose process begins.
func (r *run) clock(n int) *havip.Clock {
	off := r.plan.off[n]
	if r.right[n] {
		off = 0
	}
	return &havip.Clock{Off: off}
}

// Now implements [ledger.Ledger]: the bubble's time, which is the true one.
func (l faultyLedger) Now(ctx context.Context) (now time.Time, err error) {
	v := invocationOf(ctx)
	asked := time.Now()
	v.lag()
	v.locked(func() {
		if v.msg.way.sender.scope == guard.Stranger { // a reporter may have us look at the clock
			v.trespass("now")
		}
		v.ops++
		v.what = "now"
		if l.ledgerDown || v.befalls(ledgerAway) || ctx.Err() != nil {
			err = errLedgerAway
			return
		}
		now, err = l.Ledger.Now(ctx)
	})
	v.lag()
	if l.plan.off != [2]time.Duration{} {
		l.locked(func() { l.slack = max(l.slack, havip.MaxSkew+time.Since(asked)) }) // as exact as the answer was quick
	}
	return now, err
}

// checkArrival holds a host to the true time, whatever its clock says.
func (r *run) checkArrival(v *invocation, what string, arrived time.Time) {
	if wrong := max(v.began.Sub(arrived), time.Until(arrived)); wrong > r.slack {
		r.fail(10, "%s arrived at %v by the host's word, which is %v off", what, arrived, wrong)
	}
}

// apart is how far two hosts may be apart, or the truth and what both made of it.
func (r *run) apart() time.Duration { return 2 * r.slack }

// checkDue is the true half of promise 9: no story times out before its time
// because a clock is off.
func (r *run) checkDue(s havip.Story) {
	if now := time.Now(); s.Deadline.After(now.Add(r.apart())) {
		r.fail(9, "story %s timed out %v before its deadline by the true time", s.ID, s.Deadline.Sub(now))
	}
}
