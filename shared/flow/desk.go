package flow

import (
	"context"
	"sync"
)

// Desk is where the invocations of one process publish what lies in an outbox:
// one at a time for each, and nothing twice. The zero value is ready; nil keeps no
// order and remembers nothing.
type Desk struct {
	outboxes turns

	mu      sync.Mutex
	letters map[string]bool // published; true once it is out of its outbox too
	order   []string        // in which they were
}

// maxLetters is how many letters a desk remembers.
const maxLetters = 10_000

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
		d.order = append(d.order, id)
	}
	d.letters[id] = removed
	if len(d.order) > maxLetters {
		delete(d.letters, d.order[0])
		d.order = d.order[1:]
	}
}
