package host

import (
	"context"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/time/rate"

	"havip-functions/shared/flow"
)

// relay tells the outcomes of our own stream to somebody else too. They are durable
// before it hears of them, so nobody waits for it: what it does not take comes again,
// until the stream forgets it.
type relay struct {
	name string
	from jetstream.Consumer
	to   flow.Bus
}

// forgotten is how long the place of a relay in the stream outlives the last host
// that has it. After that it hears what is new.
const forgotten = 24 * time.Hour

func (b *Bus) openRelay(ctx context.Context, name string, to flow.Bus) (relay, error) {
	c := jetstream.ConsumerConfig{
		Durable: "relay-" + name, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait,
		DeliverPolicy: jetstream.DeliverNewPolicy, InactiveThreshold: forgotten,
	}
	if _, all := to.(auditor); all { // which misses nothing, and knows what it has heard
		c.DeliverPolicy, c.InactiveThreshold = jetstream.DeliverAllPolicy, 0
	}
	from, err := b.outcomes.CreateOrUpdateConsumer(ctx, c)
	if err != nil {
		return relay{}, fmt.Errorf("relay of outcomes: %w", err)
	}
	return relay{name, from, to}, nil
}

// run relays until the context ends. What is under way then is told again by the next
// host. A receiver that is away for long takes one line of the log in a while.
func (r relay) run(ctx context.Context, b *Bus) error {
	warn := rate.Sometimes{First: 1, Interval: 10 * time.Second}
	return b.consume(ctx, r.from, func(_ context.Context, text []byte) error {
		var e cloudevents.Event
		err := e.UnmarshalJSON(text)
		if err == nil {
			err = r.to.Publish(ctx, e, 0)
		}
		if err != nil && ctx.Err() == nil {
			warn.Do(func() { b.log.Warn("an outcome was not taken, and is told again", "to", r.name, "error", err) })
		}
		return err
	})
}
