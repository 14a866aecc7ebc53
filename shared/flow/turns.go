package flow

import (
	"context"
	"sync"
)

// turns let one at a time through to each key. The zero value is ready.
type turns struct {
	mu   sync.Mutex
	keys map[string]*queue
}

type queue struct {
	turn    chan struct{} // holds one token while somebody has the turn
	waiting int
}

// enter waits for its turn at the key, until leave is called, or the context ends.
func (t *turns) enter(ctx context.Context, key string) (leave func(), err error) {
	at := t.join(key)
	leave = func() { <-at.turn; t.part(key, at) }
	select {
	case at.turn <- struct{}{}: // even if the context is over: who has not to wait need not hurry
		return leave, nil
	default:
	}
	select {
	case at.turn <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		t.part(key, at)
		return nil, ctx.Err()
	}
}

func (t *turns) join(key string) *queue {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.keys == nil {
		t.keys = map[string]*queue{}
	}
	at := t.keys[key]
	if at == nil {
		at = &queue{turn: make(chan struct{}, 1)}
		t.keys[key] = at
	}
	at.waiting++
	return at
}

func (t *turns) part(key string, at *queue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at.waiting--; at.waiting == 0 {
		delete(t.keys, key)
	}
}
