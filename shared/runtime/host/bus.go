package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/events"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/runtime"
)

// The streams. Requests are for our functions, once each; outcomes are for
// whoever listens.
const (
	requests = "havip.requests"
	outcomes = "havip.outcomes"
	atHeader = "Havip-Not-Before"
)

// Bus is queue and timer on a JetStream. An event waits in the stream; long before
// its time it is handed back with the delay that is left, which survives a restart
// because the stream does.
type Bus struct {
	js       jetstream.JetStream
	requests *ledger.Stream
	outcomes *ledger.Stream
	consumer jetstream.Consumer
	log      *slog.Logger
	clock    *havip.Clock
	late     func(time.Duration) // hears how late each request is begun; nil for nobody
}

func openBus(ctx context.Context, e *engine, clock *havip.Clock, log *slog.Logger) (*Bus, error) {
	js, err := jetstream.New(e.conn)
	if err != nil {
		return nil, err
	}
	told, err := ledger.OpenStream(ctx, js, jetstream.StreamConfig{
		Name: "HAVIP-OUTCOMES", Subjects: []string{outcomes + ".>"}, MaxAge: 30 * 24 * time.Hour, MaxBytes: 256 << 20,
		Duplicates: 10 * time.Minute, Replicas: e.replicas, // which takes memory for each
	})
	if err != nil {
		return nil, fmt.Errorf("stream of outcomes: %w", err)
	}
	stream, err := ledger.OpenStream(ctx, js, jetstream.StreamConfig{
		Name: "HAVIP-REQUESTS", Subjects: []string{requests + ".>"}, Retention: jetstream.WorkQueuePolicy,
		Duplicates: time.Hour, Replicas: e.replicas,
	})
	if err != nil {
		return nil, fmt.Errorf("stream of requests: %w", err)
	}
	const name = "functions"
	if e.embedded != nil { // what a killed process had taken is due now, not after its AckWait
		_ = stream.DeleteConsumer(ctx, name) // there is none the first time
	}
	consumer, err := stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: name, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait,
		MaxAckPending: -1, // every waiting follow-up is one
	})
	if err != nil {
		return nil, fmt.Errorf("consumer of requests: %w", err)
	}
	return &Bus{js: js, requests: stream, outcomes: told, consumer: consumer, clock: clock, log: log}, nil
}

// Publish implements flow.Bus: once it returns nil the event is on disk.
func (b *Bus) Publish(ctx context.Context, e cloudevents.Event, after time.Duration) error {
	body, err := events.Encode(e)
	if err != nil {
		return err
	}
	m, stream := nats.NewMsg(outcomes+"."+e.Type()), b.outcomes
	if e.Type() == events.TypeStatusCheck || e.Type() == events.TypeSweep {
		m.Subject, stream = requests+"."+e.Type(), b.requests
	}
	m.Data = body
	if most := b.js.Conn().MaxPayload(); int64(len(body))+1<<10 > most {
		return fmt.Errorf("event %s: %w: it has %d bytes, and the engine takes %d at most", e.ID(), flow.ErrUnsendable, len(body), most)
	}
	m.Header.Set(atHeader, b.clock.Now().Add(after).Format(time.RFC3339Nano))
	m.Header.Set(jetstream.MsgIDHeader, e.ID())
	_, err = stream.Publish(ctx, m)
	return err
}

const (
	ackWait   = 3 * time.Second // how long what a host had taken waits after it has died
	heartbeat = ackWait / 3
	asksFor   = 2 * time.Second // below ackWait: who is cut off is handed nothing a second time
	near      = time.Second     // what is due so soon is timed here: the engine's timer is late under load
	atOnce    = 1024            // invocations at a time; in a storm most wait for their turn at the cloud
)

// Deliver hands every request that is due to invoke, until the context ends and
// the invocations under way are done. What fails comes again, later each time.
func (b *Bus) Deliver(ctx context.Context, invoke func(context.Context, []byte) error) error {
	return b.consume(ctx, b.consumer, invoke)
}

func (b *Bus) consume(ctx context.Context, from jetstream.Consumer, invoke func(context.Context, []byte) error) error {
	slots := make(chan struct{}, atOnce)
	var running sync.WaitGroup
	consuming, err := from.Consume(func(m jetstream.Msg) {
		wait := b.untilDue(m)
		if wait > near {
			b.check(m.NakWithDelay(wait - near/2))
			return
		}
		if wait <= 0 {
			slots <- struct{}{}
		}
		running.Go(func() {
			if wait > 0 {
				if !b.holds(ctx, m, wait) {
					return
				}
				slots <- struct{}{}
			}
			defer func() { <-slots }()
			b.deliver(context.WithoutCancel(ctx), m, invoke)
		})
	}, jetstream.PullExpiry(asksFor), jetstream.PullHeartbeat(asksFor/2))
	if err != nil {
		return fmt.Errorf("consume %s: %w", from.CachedInfo().Stream, err)
	}
	<-ctx.Done()
	consuming.Stop()
	<-consuming.Closed()
	running.Wait()
	return nil
}

// holds keeps what is due soon until then. The engine has it all the same, and hands it
// out anew should this process not live to acknowledge it. A stop hands it back.
func (b *Bus) holds(ctx context.Context, m jetstream.Msg, wait time.Duration) bool {
	select {
	case <-time.After(wait):
		return true
	case <-ctx.Done():
		b.check(m.NakWithDelay(b.untilDue(m)))
		return false
	}
}

func (b *Bus) deliver(ctx context.Context, m jetstream.Msg, invoke func(context.Context, []byte) error) {
	if b.late != nil && strings.HasPrefix(m.Subject(), requests+".") {
		b.late(max(0, -b.untilDue(m)))
	}
	done := make(chan struct{})
	go func() { // tells the engine that we live, however long a look takes
		for {
			select {
			case <-done:
				return
			case <-time.After(heartbeat):
				b.check(m.InProgress())
			}
		}
	}()
	err := runtime.Safely(b.log, func() error { return invoke(ctx, m.Data()) })
	close(done)
	if err != nil {
		b.check(m.NakWithDelay(retryIn(m)))
		return
	}
	b.check(m.Ack())
}

// check logs what the engine did not take: the message comes again.
func (b *Bus) check(err error) {
	if err != nil && !errors.Is(err, nats.ErrConnectionClosed) { // which a stop does
		b.log.Warn("engine", "error", err)
	}
}

func (b *Bus) untilDue(m jetstream.Msg) time.Duration {
	at, err := time.Parse(time.RFC3339Nano, m.Headers().Get(atHeader))
	if err != nil {
		return 0
	}
	return at.Sub(b.clock.Now())
}

// retryIn is how long what has failed waits: a look that the engine kept from its
// ledger is soon due again, a receiver of outcomes may be away for long.
func retryIn(m jetstream.Msg) time.Duration {
	first, most := 200*time.Millisecond, 30*time.Second
	if strings.HasPrefix(m.Subject(), requests+".") {
		most = ackWait
	}
	tries := uint64(1)
	if meta, err := m.Metadata(); err == nil {
		tries = meta.NumDelivered
	}
	return min(first<<min(tries, 8), most)
}
