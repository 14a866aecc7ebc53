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
)

// message is on its way to one of the hosts, until one acknowledges it.
type message struct {
	id      string // of this delivery
	event   string // of the event
	payload []byte
	way     way
	forged  bool    // a follow-up that is none of ours
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
// acknowledges it, or refuses it for good.
func (r *run) deliver(m *message, at time.Duration) {
	r.pending++
	r.later(at, func() {
		const first, most = time.Second, 20 * time.Second
		wait := first
		for n := 1; !r.attempt(m, n); n++ {
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

// deliverNews delivers events from outside that travel together, under an id for
// this delivery.
func (r *run) deliverNews(id string, at time.Duration, together ...*news) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := &message{id: id, event: together[0].id, payload: together[0].bytes(r.began), news: together, way: together[0].way}
	if len(together) > 1 {
		m.way.mode = batch
		m.payload = listed(r.began, together)
	}
	r.deliver(m, at+r.jitter(m.id))
}

func listed(began time.Time, all []*news) []byte {
	var list []json.RawMessage
	for _, n := range all {
		list = append(list, n.bytes(began))
	}
	bytes, err := events.Encode(list)
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
	e.Source = urn
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
	if len(payload) > maxFollowUp {
		r.fail(13, "%s %s has %d bytes", ce.Type(), id, len(payload))
	}
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
	forged := v.msg.forged && v.hopped
	switch {
	case forged:
		due = min(due, time.Since(r.began)+20*time.Second) // what is not before its time for years is sent on early, by any bus
	case r.happens(busEarly, roll[1], key):
		due = max(due-time.Duration(draw.Int64N(int64(20*time.Second))), time.Since(r.began))
	case r.happens(busLate, roll[1], key):
		due += time.Duration(draw.Int64N(int64(50 * time.Second)))
	}
	var check events.StatusCheck
	if isCheck {
		r.failIf(4, ce.DataAs(&check))
	}
	if !forged {
		r.tape.onOurs(check, payload)
	}
	r.deliver(&message{id: id, event: id, payload: payload, attempt: check.Attempt, story: check.Story, forged: forged}, due+r.jitter(id))
	if r.happens(busTwice, roll[2], key) {
		again := due + time.Duration(draw.Int64N(int64(10*time.Second)))
		r.deliver(&message{id: id + " twice", event: id, payload: payload, attempt: check.Attempt, story: check.Story, forged: forged}, again+r.jitter(id+"'"))
	}
}
