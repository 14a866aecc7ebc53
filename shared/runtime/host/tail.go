package host

import (
	"context"
	"errors"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// tail lets any number of viewers follow the stream of outcomes, each at his own pace and
// from his own place: one consumer hears that there is news, and who wants it reads it
// from the stream.
type tail struct {
	bus *Bus

	mu   sync.Mutex
	news chan struct{} // closed by the next outcome
}

// run hears of outcomes until the context ends. Until it can, viewers are told late.
func (t *tail) run(ctx context.Context) {
	for {
		stop, err := t.follow(ctx)
		if err == nil {
			<-ctx.Done()
			stop()
			return
		}
		t.bus.log.Warn("who watches is told late", "error", err)
		if pause(ctx, near) != nil {
			return
		}
	}
}

func (t *tail) follow(ctx context.Context) (stop func(), err error) {
	c, err := t.bus.js.OrderedConsumer(ctx, t.bus.outcomes.CachedInfo().Config.Name, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverNewPolicy, HeadersOnly: true,
	})
	if err != nil {
		return nil, err
	}
	hearing, err := c.Consume(func(jetstream.Msg) { t.wake() })
	if err != nil {
		return nil, err
	}
	return hearing.Stop, nil
}

func (t *tail) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.news != nil {
		close(t.news)
		t.news = nil
	}
}

func (t *tail) next() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.news == nil {
		t.news = make(chan struct{})
	}
	return t.news
}

// Next returns the first outcome after that place in the stream, and its own; it waits
// until there is one.
func (t *tail) Next(ctx context.Context, after uint64) (place uint64, event []byte, err error) {
	for {
		news := t.next() // before the look: what comes meanwhile is heard
		m, err := t.bus.outcomes.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(outcomes+".>"))
		if err == nil {
			return m.Sequence, m.Data, nil
		}
		if !errors.Is(err, jetstream.ErrMsgNotFound) {
			return after, nil, err
		}
		select {
		case <-news:
		case <-ctx.Done():
			return after, nil, ctx.Err()
		}
	}
}

// Newest is the place of the newest outcome.
func (t *tail) Newest(ctx context.Context) (uint64, error) {
	info, err := t.bus.outcomes.Info(ctx)
	if err != nil {
		return 0, err
	}
	return info.State.LastSeq, nil
}
