package functions_test

import (
	"context"
	"errors"
	"maps"
	"time"

	"havip-functions/shared/alibaba"
	"havip-functions/shared/baidu"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// Two time-outs of the Keeper that the promises lean on.
const (
	settle      = 25 * time.Second
	callTimeout = 10 * time.Second
)

type cloudAndFleet interface {
	havip.Cloud
	havip.Fleet
}

// clouds opens a HAVIP's cloud behind a witness. A look opens it once.
func (r *run) clouds(ctx context.Context, p havip.Policy, session string) (havip.Cloud, havip.Fleet, error) {
	v := invocationOf(ctx)
	w := &witness{v: v, policy: p, story: session, cloudAndFleet: r.open(p)}
	r.mu.Lock()
	defer r.mu.Unlock()
	v.trespass("a cloud")
	v.looks[session] = w
	return w, w, nil
}

func (r *run) open(p havip.Policy) cloudAndFleet {
	keys := func(context.Context) (havip.Credentials, error) { return keysOf(p), nil }
	switch {
	case !r.plan.sdk:
		return r.sim.Direct(p.Cloud, p.Region, keysOf(p))
	case p.Cloud == "baidu":
		return baidu.New(baidu.Config{Region: p.Region, Transport: r.sim.Transport(), Credentials: keys})
	default:
		return alibaba.New(alibaba.Config{Region: p.Region, Transport: r.sim.Transport(), Credentials: keys})
	}
}

// witness stands between a look and its cloud: it sees what the look reads and
// sends, and lets mishaps befall it on the wire.
type witness struct {
	cloudAndFleet
	v      *invocation
	policy havip.Policy
	story  string

	readAt  time.Time // zero: not yet
	now     time.Time // the same, by the host's word
	begunAt int       // the ledger's writes when the read began
	have    havip.HAVIP
	states  map[string]havip.InstanceState
	truth   truths
	err     error // of the last call
	sends   int
}

// Get implements [havip.Cloud].
func (w *witness) Get(ctx context.Context, id string) (havip.HAVIP, error) {
	w.v.lag()
	begun := 0
	w.v.locked(func() { begun = w.v.tape.shelf(w.policy).writes })
	truth := truths{w.v.truth(w.policy)}
	have, err := w.cloudAndFleet.Get(ctx, id)
	truth = append(truth, w.v.truth(w.policy))
	w.v.locked(func() {
		w.truth = truth
		w.begunAt, w.readAt, w.now, w.have, w.err = begun, time.Now(), w.v.host.Keeper.Now(), have, err
		w.v.note("  %s reads %s %v serving %q: %v", w.story[:min(6, len(w.story))], have.Status, have.Holders, have.Serving, err)
		if err == nil {
			w.v.tape.onRead(w)
		}
	})
	return have, err
}

// List implements [havip.Fleet].
func (w *witness) List(ctx context.Context) ([]havip.HAVIP, error) {
	w.v.lag()
	seen := func() {
		for _, p := range w.v.plan.policies {
			if p.Cloud == w.policy.Cloud {
				w.v.surveys[p.ID] = append(w.v.surveys[p.ID], w.v.truth(p))
			}
		}
	}
	seen()
	defer seen()
	return w.cloudAndFleet.List(ctx)
}

// States implements [havip.Fleet].
func (w *witness) States(ctx context.Context, ids []string) (map[string]havip.InstanceState, error) {
	w.v.lag()
	states, err := w.cloudAndFleet.States(ctx, ids)
	w.v.locked(func() {
		w.states = maps.Clone(states)
		for id, s := range states {
			w.v.downs[w.policy.Cloud+id], w.v.ups[w.policy.Cloud+id] = s.Down(), s == havip.Running
		}
	})
	return states, err
}

// Attach implements [havip.Cloud].
func (w *witness) Attach(ctx context.Context, c havip.Call) (havip.Receipt, error) {
	return w.send(ctx, &sent{verb: havip.Attach, call: c, do: w.cloudAndFleet.Attach})
}

// Detach implements [havip.Cloud].
func (w *witness) Detach(ctx context.Context, c havip.Call) (havip.Receipt, error) {
	return w.send(ctx, &sent{verb: havip.Detach, call: c, do: w.cloudAndFleet.Detach})
}

// sent is a mutating call of ours.
type sent struct {
	verb    havip.Step
	call    havip.Call
	do      func(context.Context, havip.Call) (havip.Receipt, error)
	lease   *lease
	at      time.Time
	slept   bool             // its process slept between lease and call
	arrived []simulator.Call // what the simulator wrote down of it
}

func (w *witness) send(ctx context.Context, s *sent) (havip.Receipt, error) {
	v := w.v
	v.lag()
	late := v.before(s)
	if late {
		v.nap()
		s.slept = true
	}
	var fate mishap
	v.locked(func() {
		s.at = time.Now()
		w.sends++
		v.tape.onSend(v.run, w, s)
		for _, m := range []mishap{wireLost, wireCut, wireLate} {
			if fate == "" && v.befalls(m) {
				fate = m
			}
		}
		v.note("  %s sends %s %s token %.6s %s", w.story[:6], s.verb, s.call.Instance, s.call.Token, fate)
	})
	receipt, err := w.wire(ctx, s, fate)
	v.after(func() {
		w.err = err
		v.tape.onAnswer(v.run, s, err)
		v.note("  answer %+v %v", receipt, err)
	})
	return receipt, err
}

func (v *invocation) before(s *sent) (sleeps bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ops++
	v.what = string(s.verb)
	if v.befalls(crashBefore) {
		v.crash()
	}
	if v.befalls(abandoned) {
		v.cancel()
	}
	if v.befalls(asleep) {
		v.slept = true
	}
	return v.slept
}

// nap is longer than anybody waits for a call.
func (v *invocation) nap() {
	time.Sleep(settle + time.Second + time.Duration(v.rng.Int64N(int64(time.Minute))))
}

func (v *invocation) after(do func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	do()
	v.alive()
	if v.befalls(crashAfter) {
		v.crash()
	}
}

var errLostOnTheWire = &havip.Error{Kind: havip.ErrBusy, Op: "Call", Code: "ConnectionLost", Rule: "the connection broke before the answer", Advice: "look again", Lost: true}

// wire carries the call, unless something befalls it.
func (w *witness) wire(ctx context.Context, s *sent, fate mishap) (havip.Receipt, error) {
	switch fate {
	case wireCut:
		w.v.lag()
		return havip.Receipt{}, errLostOnTheWire
	case wireLate:
		wait := callTimeout + 500*time.Millisecond + time.Duration(w.v.rng.Int64N(int64(3*time.Second)))
		w.v.busy.Go(func() {
			time.Sleep(wait)
			_, _ = w.carry(context.Background(), s)
		})
		<-ctx.Done()
		return havip.Receipt{}, errLostOnTheWire
	case wireLost:
		_, _ = w.carry(ctx, s)
		return havip.Receipt{}, errLostOnTheWire
	default:
		return w.carry(ctx, s)
	}
}

// carry makes the call and finds it in the simulator's record.
func (w *witness) carry(ctx context.Context, s *sent) (havip.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	began := time.Now().UTC()
	receipt, err := s.do(ctx, s.call)
	found := w.v.sim.Calls(simulator.CallFilter{HAVIP: s.call.HAVIP})
	w.v.locked(func() {
		for _, c := range found {
			if c.ClientToken == s.call.Token && ours(c.AccessKeyID) && !c.Time.Before(began) {
				s.arrived = append(s.arrived, c)
				w.v.tape.onCall(w.v.run, w, s, c)
			}
		}
	})
	return receipt, err
}

func definite(err error) bool {
	var e *havip.Error
	return errors.As(err, &e) && !e.Lost
}
