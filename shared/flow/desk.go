package flow

import (
	"context"
	"sync"
	"time"
)

// Desk is where the invocations of one process publish what lies in an outbox:
// one at a time for each, and nothing twice. The zero value is ready; nil keeps no
// order and remembers nothing.
type Desk struct {
	outboxes turns

	mu       sync.Mutex
	messages map[string]bool // published; true once it is out of its outbox too
	order    []noted         // in which they were
}

type noted struct {
	id string
	at time.Time
}

// How many messages a desk remembers, and for how long. Those who flush the same
// outbox have read it within the time of an invocation; the same id may come again
// in another story once the ledger has forgotten its event.
const (
	maxMessages = 10_000
	messageTime = 15 * time.Minute
)

// enter waits for its turn at an outbox.
func (d *Desk) enter(ctx context.Context, key string) (leave func(), err error) {
	if d == nil {
		return func() {}, nil
	}
	return d.outboxes.enter(ctx, key)
}

// await lets who publishes an outbox take out what it has published, for a little: a look
// that reads the record before has to begin anew, with all its questions to the cloud.
func (d *Desk) await(ctx context.Context, key string) {
	const patience = 100 * time.Millisecond // an outcome that nobody takes keeps no look back
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if leave, err := d.enter(ctx, key); err == nil {
		leave()
	}
}

func (d *Desk) published(id string) (published, removed bool) {
	if d == nil {
		return false, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget()
	removed, published = d.messages[id]
	return published, removed
}

// note remembers that a message was published, and whether it is out of its outbox.
func (d *Desk) note(id string, removed bool) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.messages == nil {
		d.messages = map[string]bool{}
	}
	if _, known := d.messages[id]; !known {
		d.order = append(d.order, noted{id, time.Now()})
	}
	d.messages[id] = removed
	d.forget()
}

// forget drops what is too much or too old; the caller holds the mutex.
func (d *Desk) forget() {
	for len(d.order) > maxMessages || len(d.order) > 0 && time.Since(d.order[0].at) > messageTime {
		delete(d.messages, d.order[0].id)
		d.order = d.order[1:]
	}
}
