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

	mu      sync.Mutex
	letters map[string]bool // published; true once it is out of its outbox too
	order   []noted         // in which they were
}

type noted struct {
	id string
	at time.Time
}

// How many letters a desk remembers, and for how long. Those who flush the same
// outbox have read it within the time of an invocation; the same id may come again
// in another story once the ledger has forgotten its event.
const (
	maxLetters = 10_000
	letterTime = 15 * time.Minute
)

// enter waits for its turn at an outbox.
func (d *Desk) enter(ctx context.Context, key string) (leave func(), err error) {
	if d == nil {
		return func() {}, nil
	}
	return d.outboxes.enter(ctx, key)
}

func (d *Desk) published(id string) (published, removed bool) {
	if d == nil {
		return false, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget()
	removed, published = d.letters[id]
	return published, removed
}

// note remembers that a letter was published, and whether it is out of its outbox.
func (d *Desk) note(id string, removed bool) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.letters == nil {
		d.letters = map[string]bool{}
	}
	if _, known := d.letters[id]; !known {
		d.order = append(d.order, noted{id, time.Now()})
	}
	d.letters[id] = removed
	d.forget()
}

// forget drops what is too much or too old; the caller holds the mutex.
func (d *Desk) forget() {
	for len(d.order) > maxLetters || len(d.order) > 0 && time.Since(d.order[0].at) > letterTime {
		delete(d.letters, d.order[0].id)
		d.order = d.order[1:]
	}
}
