package host

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// ErrStore means that the embedded engine can't write any more, as on a full
// disk. It does not try again by itself: the host has to be opened anew.
var ErrStore = errors.New("the data folder can't be written; is the disk full?")

// store is the ledger of the embedded engine. A write that failed costs its own
// request; only where several tries of our own in a row fail as well is the engine
// opened anew. A slow disk is no reason, nor is a mistake of ours.
type store struct {
	*ledger.JetStream
	data    string        // the folder
	suspect chan struct{} // holds a token from a suspicion until it is looked into

	mu    sync.Mutex
	ended bool
}

func newStore(l *ledger.JetStream, data string) *store {
	return &store{JetStream: l, data: data, suspect: make(chan struct{}, 1)}
}

// Save implements [havip.Ledger].
func (s *store) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	late := time.AfterFunc(lateWrite, s.doubt)
	defer late.Stop()
	saved, err := s.JetStream.Save(ctx, key, value, rev)
	if errors.Is(err, ledger.ErrFull) || errors.Is(err, ledger.ErrGone) {
		s.doubt()
	}
	return saved, err
}

// lateWrite is when a write has us look whether the disk is only slow.
const lateWrite = 2 * time.Second

func (s *store) doubt() {
	select {
	case s.suspect <- struct{}{}:
	default: // it is being looked into
	}
}

// broken tells that the engine can't write any more.
func (s *store) broken() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

const (
	probes     = 3
	probeTime  = 5 * time.Second // of one, so that even a very slow disk has written something after all
	probePause = time.Second
)

// watch looks into each suspicion, until the context ends or the engine can't
// write any more; then it tells what failed.
func (s *store) watch(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.suspect:
		}
		err := s.several(ctx, func(context.Context) error { return tryWriting(s.data) })
		if err == nil {
			err = s.several(ctx, s.probe)
		}
		if err != nil {
			s.mu.Lock()
			s.ended = true
			s.mu.Unlock()
			return err
		}
	}
}

// several returns an error only where all tries in a row fail.
func (s *store) several(ctx context.Context, try func(context.Context) error) (err error) {
	for n := range probes {
		if n > 0 {
			_ = pause(ctx, probePause)
		}
		err = try(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // nobody asks any more
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// probe writes a record. The engine is silent when a write of its fails, and ever
// after: an answer that does not come while nobody's write gets through is its no.
func (s *store) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	before, err := s.Writes(ctx)
	if err != nil {
		return err
	}
	_, _, failed := havip.Update(ctx, s.JetStream, "probe", func(at *time.Time) (bool, error) {
		*at = time.Now()
		return true, nil
	})
	if failed == nil {
		return nil
	}
	now, err := s.Writes(context.WithoutCancel(ctx))
	if err == nil && now > before { // slow, but alive
		return nil
	}
	return failed
}

// tryWriting makes a file in the folder, larger than what a quota leaves by chance.
func tryWriting(folder string) error {
	f, err := os.CreateTemp(folder, "probe-")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 64<<10))
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// guardStore writes down how far the embedded engine has come, and stops the
// host when it can't write any more.
func (h *Host) guardStore(ctx context.Context, stop func()) {
	if h.store == nil {
		return
	}
	go keepMarks(ctx, h.bus.js, h.config.Data)
	if err := h.store.watch(ctx); err != nil {
		h.config.Log.Error("the engine can't write", "data", h.config.Data, "error", err)
		stop()
	}
}
