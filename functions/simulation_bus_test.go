package functions_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/shared/havip"
)

// message is on its way to one of the hosts, until one acknowledges it.
type message struct {
	id      string // of this delivery
	event   string // of the event
	payload []byte
	news    []*news // none for what is ours
	attempt int     // of a check
	story   string
	acked   bool
}

// chance draws for something by its name, so that leaving out another changes
// nothing here.
func (r *run) chance(name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return rand.New(rand.NewPCG(r.plan.seed, h.Sum64()))
}

func (r *run) jitter(name string) time.Duration {
	return time.Duration(r.chance(name).Int64N(int64(20 * time.Millisecond)))
}

// deliver hands a message to a host when it is due, again and again until one
// acknowledges it.
func (r *run) deliver(m *message, at time.Duration) {
	r.pending++
	r.later(at, func() {
		const first, most = time.Second, 20 * time.Second
		wait := first
		for n := 1; !r.invoke(m, n); n++ {
			time.Sleep(wait + r.jitter(fmt.Sprint(m.id, n)))
			wait = min(2*wait, most)
			if r.ended() {
				return
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.pending--
	})
}

func (r *run) ended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

// deliverNews delivers an event from outside, under an id for this delivery.
func (r *run) deliverNews(n news, id string, at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := &message{id: id, event: n.id, payload: []byte(n.garbage), news: []*news{&n}}
	if id == "" {
		m.id = n.id
	}
	if n.garbage == "" {
		m.payload = n.bytes(r.began)
	}
	r.deliver(m, at+r.jitter(m.id))
}

// source is where the events from outside say that they come from.
const source = "urn:test"

func (n news) bytes(began time.Time) []byte {
	at := began.Add(n.at)
	fact := events.Fact{Cloud: n.cloud, Region: n.region, Instance: n.ask.Instance, HAVIP: n.havip, Reason: "drawn"}
	var data events.Data
	switch n.kind {
	case havip.AskFailed:
		data = events.HealthFailed(fact)
	case havip.AskStarted:
		data = events.InstanceStarted(fact)
	case havip.AskRestored:
		data = events.HealthRestored(fact)
	case havip.AskRecover:
		data = events.Recover{
			Cloud: n.cloud, Region: n.region, HAVIP: n.havip, Instance: n.ask.Instance, Release: n.ask.Release,
			Force: n.ask.Force, AllowGap: n.ask.AllowGap, Actor: n.ask.Actor, Reason: n.ask.Reason, DryRun: n.dryRun,
		}
	case havip.AskSweep:
		data = events.Sweep{Cloud: n.cloud, Region: n.region, HAVIP: n.havip}
	}
	e := events.New(n.id, at.Add(n.stamp), data)
	e.Source = source
	if n.expiry != 0 {
		e.Expiry = at.Add(n.expiry)
	}
	return encoded(e)
}

func (n news) key() string {
	return havip.Event{EventRef: havip.EventRef{Source: source, ID: n.id}}.Key()
}

func keyOf(e events.Event) string {
	return havip.Event{EventRef: havip.EventRef{Source: e.Source, ID: e.ID}}.Key()
}

func encoded(e events.Event) []byte {
	bytes, err := json.Marshal(e)
	if err != nil {
		panic(err) // the simulation's own events encode
	}
	return bytes
}

func (r *run) deliverSweep(at time.Duration) {
	id := fmt.Sprintf("sweep@%d", at/time.Millisecond)
	if r.plan.without[id] {
		return
	}
	e := events.New(id, r.began.Add(at), events.Sweep{})
	e.Source = source
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deliver(&message{id: id, event: id, payload: encoded(e)}, at+r.jitter(id))
}

var errBusAway = errors.New("the bus is away")

// Publish implements [flow.Bus]: at least once, perhaps early, late, twice, or
// never where a sweep looks after it.
func (r *run) Publish(ctx context.Context, ce cloudevents.Event, after time.Duration) error {
	v := invocationOf(ctx)
	return v.side(ctx, "publish", func() error {
		if r.busDown || v.befalls(busAway) {
			return errBusAway
		}
		payload, err := events.Encode(ce)
		if err != nil {
			return err
		}
		r.publish(v, ce, payload, after)
		if v.befalls(busLost) {
			return errBusAway
		}
		return nil
	})
}

// runaway is more letters than any seed needs.
const runaway = 5000

func (r *run) publish(v *invocation, ce cloudevents.Event, payload []byte, after time.Duration) {
	id := ce.ID()
	r.tape.onPublish(r, v, ce)
	if r.published[id]++; r.published[id] > 1 {
		if r.plan.dedupe {
			r.count("fault", "bus: a repeated id swallowed")
			return
		}
		id = fmt.Sprintf("%s no. %d", id, r.published[id])
	}
	if r.tape.publishes > runaway {
		r.fail(4, "%d letters were published: follow-ups multiply", r.tape.publishes)
		return
	}
	draw := r.chance(id)
	roll := [4]float64{draw.Float64(), draw.Float64(), draw.Float64(), draw.Float64()}
	key := func() string { return id }
	isCheck := ce.Type() == events.TypeStatusCheck
	if !isCheck && roll[3] > 0.05 || strings.Contains(id, "+++++") {
		return // nobody listens to it
	}
	if isCheck && r.plan.sweeps > 0 && r.happens(loseFollowUp, roll[0], key) {
		return
	}
	due := time.Since(r.began) + max(0, after)
	switch {
	case r.happens(busEarly, roll[1], key):
		due = max(due-time.Duration(draw.Int64N(int64(20*time.Second))), time.Since(r.began))
	case r.happens(busLate, roll[1], key):
		due += time.Duration(draw.Int64N(int64(50 * time.Second)))
	}
	var check events.StatusCheck
	if isCheck {
		r.failIf(4, ce.DataAs(&check))
	}
	r.deliver(&message{id: id, event: id, payload: payload, attempt: check.Attempt, story: check.Story}, due+r.jitter(id))
	if r.happens(busTwice, roll[2], key) {
		again := due + time.Duration(draw.Int64N(int64(10*time.Second)))
		r.deliver(&message{id: id + " twice", event: id, payload: payload, attempt: check.Attempt, story: check.Story}, again+r.jitter(id+"'"))
	}
}
