package pace

import (
	"context"
	"slices"
	"sync"
	"time"
)

// While calls wait, readings take no more of them than one part in so many, but
// nobody waits longer for one to begin than most.
const (
	parts = 10
	most  = 3 * time.Second
)

// shared gives all who ask at about the same time one reading, which begins
// after the last of them asked.
type shared[V any] struct {
	mu   sync.Mutex
	open *round[V]     // takes further readers
	last chan struct{} // closed when the round before it is done
	next time.Time     // before which no round begins unless the account has calls to spare
}

// round is one reading and who waits for it.
type round[V any] struct {
	ids    []string
	lead   chan struct{} // whoever takes its one token reads for all
	before chan struct{} // the end of the round before
	done   chan struct{}

	found map[string]V // nil: each reads for itself
	err   error
}

// reading reads what the ids stand for, and tells how many calls that took.
type reading[V any] func(ctx context.Context, ids []string) (found map[string]V, calls int, err error)

func (s *shared[V]) read(ctx context.Context, l *limiter, ids []string, read reading[V]) (map[string]V, error) {
	r := s.join(ids)
	select {
	case <-r.done:
		return r.found, r.err
	case <-ctx.Done():
		return nil, l.notInTime()
	case <-r.lead:
	}
	if !s.wait(ctx, l, r.before) {
		r.lead <- struct{}{} // somebody who has more time
		return nil, l.notInTime()
	}
	s.begin(r)
	ctx, cancel := uncanceled(ctx)
	defer cancel()
	calls := 0
	r.found, calls, r.err = read(ctx, r.ids)
	s.mu.Lock()
	s.next = time.Now().Add(min(l.share(calls, parts), most))
	s.mu.Unlock()
	close(r.done)
	return r.found, r.err
}

func (s *shared[V]) join(ids []string) *round[V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = &round[V]{lead: make(chan struct{}, 1), before: s.last, done: make(chan struct{})}
		s.open.lead <- struct{}{}
		s.last = s.open.done
	}
	s.open.ids = append(s.open.ids, ids...)
	return s.open
}

// wait reports false where the context ends before the round may begin.
func (s *shared[V]) wait(ctx context.Context, l *limiter, before chan struct{}) bool {
	if before != nil {
		select {
		case <-before:
		case <-ctx.Done():
			return false
		}
	}
	for {
		s.mu.Lock()
		begin := s.next
		s.mu.Unlock()
		if spare := l.spare(); spare.Before(begin) {
			begin = spare
		}
		left := time.Until(begin)
		if left <= 0 {
			return ctx.Err() == nil
		}
		select {
		case <-time.After(left): // calls that left in the meantime put it off
		case <-ctx.Done():
			return false
		}
	}
}

func (s *shared[V]) begin(r *round[V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = nil
	slices.Sort(r.ids)
	r.ids = slices.Compact(r.ids)
}

// uncanceled keeps the deadline alone: others wait for the reading too.
func uncanceled(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, limited := ctx.Deadline()
	ctx = context.WithoutCancel(ctx)
	if !limited {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline)
}
