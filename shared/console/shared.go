package console

import (
	"context"
	"sync"
	"time"
)

// sharedFor is how old an answer may be that several viewers share: however many look,
// the clouds and the ledger are read so often at most.
const sharedFor = time.Second

// shared is one reading for all who ask at the same time.
type shared[T any] struct {
	read func(context.Context) (T, error)

	mu    sync.Mutex
	at    time.Time
	v     T
	place uint64 // of the newest outcome that it knows of
}

// get reads anew what is too old. An error is nobody's answer but the one's who asked.
func (s *shared[T]) get(ctx context.Context) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.at) < sharedFor {
		return s.v, nil
	}
	v, err := s.read(context.WithoutCancel(ctx)) // who hangs up took no answer from the others
	if err == nil {
		s.v, s.at = v, time.Now()
	}
	return v, err
}

// forget makes the next one read anew: something was changed.
func (s *shared[T]) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = time.Time{}
}

// reach makes the next one read anew where there is an outcome that none knows of yet.
func (s *shared[T]) reach(place uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if place > s.place {
		s.place, s.at = place, time.Time{}
	}
}
