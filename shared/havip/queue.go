package havip

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Queues make one write of the changes of a record that come at once: who comes
// while another writes waits, and the first who waited writes for all of them. So
// a hundred events about one HAVIP cost a few writes, and nobody in this process
// loses a compare-and-set to another. The zero value is ready; with nil everybody
// writes for himself.
type Queues struct {
	mu   sync.Mutex
	keys map[string]*queue
}

type queue struct {
	waiting []*change
}

// change is what somebody wants done to a record, and what became of it.
type change struct {
	ctx  context.Context //nolint:containedctx // how long he waits is part of what he wants
	read func(Record)    // what do has to know beside the record; nil is nothing
	do   func(*Record) (bool, error)
	free bool          // others wait until it is done: it goes before them
	lead chan struct{} // closed when it is to write for all
	done chan struct{} // closed when it has been written

	record Record   // before: as it was known; then as it is
	rev    Revision // at which; before, 0 where nothing was
	err    error
	broken any // what do panicked with
}

// attempt does the change. One that panics spoils nobody else's.
func (c *change) attempt(r *Record) (changed bool) {
	if c.broken != nil {
		return false
	}
	before := *r
	c.guard(func() { changed, c.err = c.do(r) })
	if c.err != nil {
		*r, changed = before, false
	}
	return changed
}

// guard keeps a panic for him whose change it is.
func (c *change) guard(do func()) {
	defer func() {
		if c.broken = recover(); c.broken != nil {
			c.err = fmt.Errorf("panic: %v\n%s", c.broken, debug.Stack())
		}
	}()
	do()
}

// answer is what he hears who wanted it.
func (c *change) answer() error {
	if c.broken != nil {
		panic(c.err)
	}
	return c.err
}

var errNotWritten = errors.New("the one who wrote for us did not come back")

// Change lets do change a record, once or several times, and writes it back. It
// returns the record as the ledger has it then. What do reports as no change is
// not written; where it fails nothing of it is.
func (k Keeper) Change(ctx context.Context, key string, do func(*Record) (changed bool, err error)) (Record, error) {
	c := &change{do: do}
	err := k.change(ctx, key, c)
	return c.record, err
}

// TakeOut takes messages that were published out of the outbox, before those who want to
// change the record otherwise: of them the ones who came before wait to hear of it. The
// record is read again only where somebody wrote it since it was left.
func (k Keeper) TakeOut(ctx context.Context, left Left, published []string) error {
	left.Record.fresh, left.Record.ended = nil, nil // they were written
	return k.change(ctx, left.Ledger, &change{free: true, record: left.Record, rev: left.Rev,
		do: func(r *Record) (bool, error) { return r.remove(published), nil }})
}

func (k Keeper) change(ctx context.Context, key string, c *change) error {
	c.ctx, c.lead, c.done = ctx, make(chan struct{}), make(chan struct{})
	if k.Queues == nil {
		k.write(ctx, key, []*change{c})
		return c.answer()
	}
	if k.Queues.join(key, c) {
		k.lead(key)
		return c.answer()
	}
	select {
	case <-c.done:
		return c.answer()
	case <-c.lead:
	case <-ctx.Done():
		if k.Queues.leave(key, c) {
			return fmt.Errorf("ledger: others change %s: %w", key, ctx.Err())
		}
		select { // it is being written, or we are to write
		case <-c.done:
			return c.answer()
		case <-c.lead:
		}
	}
	k.lead(key)
	return c.answer()
}

// join waits in the queue, and tells whether nobody writes yet.
func (q *Queues) join(key string, c *change) (lead bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.keys == nil {
		q.keys = map[string]*queue{}
	}
	at := q.keys[key]
	if at == nil {
		at = &queue{}
		q.keys[key], lead = at, true
	}
	at.waiting = append(at.waiting, c)
	return lead
}

// leave gives up waiting, unless it is too late for that.
func (q *Queues) leave(key string, c *change) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := q.keys[key]
	if at == nil {
		return false
	}
	i := slices.Index(at.waiting, c)
	if i < 0 {
		return false
	}
	select {
	case <-c.lead:
		return false
	default:
	}
	at.waiting = slices.Delete(at.waiting, i, i+1)
	return true
}

// lead writes for all who wait, and hands over to the first who came meanwhile.
func (k Keeper) lead(key string) {
	k.Queues.mu.Lock()
	at := k.Queues.keys[key]
	batch := at.waiting
	at.waiting = nil
	k.Queues.mu.Unlock()
	slices.SortStableFunc(batch[1:], freeFirst) // behind the one who writes
	var next []*change
	defer func() { // also where the ledger panicked
		for _, c := range batch[:len(batch)-len(next)] {
			select {
			case <-c.done:
			default:
				c.err = errNotWritten
				close(c.done)
			}
		}
		k.Queues.mu.Lock()
		defer k.Queues.mu.Unlock()
		at.waiting = append(next, at.waiting...)
		if len(at.waiting) == 0 {
			delete(k.Queues.keys, key)
			return
		}
		close(at.waiting[0].lead)
	}()
	ctx, cancel := longest(batch)
	defer cancel()
	next = k.write(ctx, key, batch)
}

func freeFirst(a, b *change) int {
	switch {
	case a.free == b.free:
		return 0
	case a.free:
		return -1
	}
	return 1
}

// patience is how long who writes for others may take at the most.
const patience = 10 * time.Second

// longest is as much time as the one has who can wait longest: who is nearly out of it
// must not end the others'.
func longest(batch []*change) (context.Context, context.CancelFunc) {
	if len(batch) == 1 {
		return context.WithCancel(batch[0].ctx)
	}
	var most time.Duration
	for _, c := range batch {
		left := patience
		if end, limited := c.ctx.Deadline(); limited {
			left = min(left, time.Until(end))
		}
		if c.ctx.Err() == nil {
			most = max(most, left)
		}
	}
	return context.WithTimeout(context.WithoutCancel(batch[0].ctx), most)
}

// readAll lets all who have to know more look it up, at the same time.
func readAll(batch []*change, r Record) {
	var all sync.WaitGroup
	for _, c := range batch {
		c.broken = nil
		if c.read != nil {
			all.Go(func() { c.guard(func() { c.read(r) }) })
		}
	}
	all.Wait()
}

// write does several changes in one compare-and-set, as many as have room in it. One that
// fails is left out.
func (k Keeper) write(ctx context.Context, key string, batch []*change) (next []*change) {
	record, rev, err := k.update(ctx, key, batch, func(r *Record) (changed bool, err error) {
		these := batch[:min(len(batch), maxFresh)]
		readAll(these, *r)
		next = batch[len(these):]
		for i, c := range these {
			changed = c.attempt(r) || changed
			if errors.Is(c.err, errCrowded) {
				next = batch[i:]
				break
			}
		}
		if changed {
			err = k.makeRoom(ctx, key, r)
		}
		return changed, err
	})
	for _, c := range batch[:len(batch)-len(next)] {
		if c.err == nil {
			c.record, c.rev, c.err = record, rev, err
		}
		close(c.done)
	}
	return next
}

// update begins with the record as the one knows it whose change it is.
func (k Keeper) update(ctx context.Context, key string, batch []*change, do func(*Record) (bool, error)) (Record, Revision, error) {
	if c := batch[0]; len(batch) == 1 && c.rev != 0 {
		return updateFrom(ctx, k.Ledger, key, c.record, c.rev, do)
	}
	return Update(ctx, k.Ledger, key, do)
}
