package havip

import (
	"context"
	"sync"
)

// Queues let one at a time through to each key: whoever in this process changes a
// record waits here for the others, instead of losing compare-and-sets to them.
// The zero value is ready; nil lets everybody through at once.
type Queues struct {
	mu   sync.Mutex
	keys map[string]*queue
}

type queue struct {
	turn    chan struct{} // holds one token while somebody has the turn
	waiting int
}

// Enter waits for its turn at the key, until leave is called, or the context ends.
func (q *Queues) Enter(ctx context.Context, key string) (leave func(), err error) {
	if q == nil {
		return func() {}, nil
	}
	at := q.join(key)
	leave = func() { <-at.turn; q.part(key, at) }
	select {
	case at.turn <- struct{}{}: // even if the context is over: who has not to wait need not hurry
		return leave, nil
	default:
	}
	select {
	case at.turn <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		q.part(key, at)
		return nil, ctx.Err()
	}
}

func (q *Queues) join(key string) *queue {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.keys == nil {
		q.keys = map[string]*queue{}
	}
	at := q.keys[key]
	if at == nil {
		at = &queue{turn: make(chan struct{}, 1)}
		q.keys[key] = at
	}
	at.waiting++
	return at
}

func (q *Queues) part(key string, at *queue) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if at.waiting--; at.waiting == 0 {
		delete(q.keys, key)
	}
}
