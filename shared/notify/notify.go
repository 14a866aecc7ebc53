// Package notify tells people in a chat how stories ended: DingTalk, Feishu, WeCom or
// Slack, so that a storm is one message.
package notify

import (
	"context"
	"net/http"
	"sync"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
)

// A message waits a moment for others that belong to it. Then one host sends at most six
// a minute, so that a cluster of three stays below the 20 a minute that DingTalk and
// WeCom take, and those are the strictest; whoever sends more to DingTalk is silent for
// ten minutes.
//
// https://open.dingtalk.com/document/orgapp/custom-robot-access
// https://developer.work.weixin.qq.com/document/path/91770
const (
	gather  = 2 * time.Second
	between = 10 * time.Second
	timeout = 5 * time.Second // of one message
)

// Chat is one group of people. It implements flow.Bus for whoever tells what was not
// taken again.
type Chat struct {
	service service
	address string // holds the key, so nothing repeats it
	secret  string
	pages   bool         // hears nothing else
	client  *http.Client // nil: the usual one

	mu      sync.Mutex
	waiting *message
	next    time.Time // not before which the service is called
}

// message is what goes out at once, and what became of it.
type message struct {
	outcomes []events.Outcome
	sent     chan struct{}
	err      error
}

// Publish returns nil once the chat has the outcome, together with others that come
// about then, or where it is none of its business. It gives up what waits when the
// context ends.
func (c *Chat) Publish(ctx context.Context, e cloudevents.Event, _ time.Duration) error {
	o, told := read(e)
	if !told || c.pages && !page(o) {
		return nil
	}
	m, first, wait := c.join(o)
	if first {
		c.tell(ctx, m, wait)
	}
	select {
	case <-m.sent:
		return m.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join adds to the message that waits, or begins one.
func (c *Chat) join(o events.Outcome) (m *message, first bool, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if first = c.waiting == nil; first {
		c.waiting = &message{sent: make(chan struct{})}
	}
	c.waiting.outcomes = append(c.waiting.outcomes, o)
	return c.waiting, first, max(gather, time.Until(c.next))
}

func (c *Chat) tell(ctx context.Context, m *message, wait time.Duration) {
	defer close(m.sent)
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		m.err = ctx.Err()
	}
	c.mu.Lock()
	c.waiting = nil
	if m.err == nil {
		c.next = time.Now().Add(between)
	}
	c.mu.Unlock()
	if m.err == nil {
		m.err = c.send(ctx, text(m.outcomes))
	}
}
