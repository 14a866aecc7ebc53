package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/havip"
)

// letter is a message on its way into a stream.
type letter struct {
	message *nats.Msg
	written chan struct{} // closed when it has been, or not

	sequence uint64
	err      error
}

func newLetter(m *nats.Msg) *letter { return &letter{message: m, written: make(chan struct{})} }

// write returns once each letter has been written, or could not be, which it says itself;
// or with an error once the time is over.
func (s *Stream) write(ctx context.Context, letters ...*letter) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if s.together {
		s.gather(letters)
	} else {
		for some := range slices.Chunk(letters, maxTogether) {
			s.commit(ctx, some)
		}
	}
	for _, l := range letters {
		select {
		case <-l.written:
		case <-ctx.Done():
			return kind(ctx.Err())
		}
	}
	return nil
}

// gather leaves the letters to who writes, or to one who begins to.
func (s *Stream) gather(letters []*letter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, letters...)
	if !s.writing {
		s.writing = true
		go s.writeAll()
	}
}

// writeAll writes for all who wait, until nobody does.
func (s *Stream) writeAll() {
	for {
		batch := s.next()
		if len(batch) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		if batch = s.contenders(ctx, batch); len(batch) > 0 {
			s.commit(ctx, batch)
		}
		cancel()
	}
}

// maxTogether is how many letters make a batch; NATS takes a thousand.
const maxTogether = 256

// next takes those who wait, up to the second for one revision of a key: it has lost
// where the first has won, and of a batch all are written or none is.
func (s *Stream) next() []*letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := map[string]bool{}
	n := 0
	for _, l := range s.waiting[:min(len(s.waiting), maxTogether)] {
		if m := l.message; m.Header.Get(jetstream.ExpectedLastSubjSeqHeader) != "" {
			if keys[m.Subject] {
				break
			}
			keys[m.Subject] = true
		}
		n++
	}
	batch := s.waiting[:n:n]
	s.waiting = s.waiting[n:]
	s.writing = n > 0
	return batch
}

// contenders are without those who have lost already, since their key has been written
// after what they know of it: one of them would spoil the batch of all.
func (s *Stream) contenders(ctx context.Context, batch []*letter) []*letter {
	return slices.DeleteFunc(batch, func(l *letter) bool {
		if !s.outdated(ctx, l.message) {
			return false
		}
		l.err = havip.ErrConflict
		close(l.written)
		return true
	})
}

func (s *Stream) outdated(ctx context.Context, m *nats.Msg) bool {
	knows, err := strconv.ParseUint(m.Header.Get(jetstream.ExpectedLastSubjSeqHeader), 10, 64)
	s.mu.Lock()
	newer := s.newer[m.Subject]
	s.mu.Unlock()
	if err != nil || newer <= knows {
		return false
	}
	if knows > 0 {
		return true
	}
	_, err = s.newest(ctx, m.Subject) // of the key that was written there may be none any more
	return err == nil
}

// maxNewer is of how many subjects a stream knows the newest sequence.
const maxNewer = 20_000

// know remembers a subject's newest sequence, as far as we have heard; of a stream that
// was restored it is lower than it was.
func (s *Stream) know(subject string, sequence uint64) {
	if !s.together {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.newer) >= maxNewer || s.newer == nil {
		s.newer = map[string]uint64{}
	}
	s.newer[subject] = sequence
}

// A batch is synced four times, three of them where the engine collects it, whatever it
// has: fewer letters are cheaper by themselves.
const minTogether = 5

// commit writes letters, as one batch where it can. Of one that the engine refuses each
// is written by itself, and so hears what was wrong with it.
func (s *Stream) commit(ctx context.Context, letters []*letter) {
	if len(letters) >= minTogether && s.CachedInfo().Config.AllowAtomicPublish {
		last, err := s.publishAll(ctx, letters)
		if refused := new(jetstream.APIError); !errors.As(err, &refused) {
			for i, l := range letters {
				if l.err = kind(err); err == nil {
					l.sequence = last - uint64(len(letters)-1-i) //nolint:gosec // below maxTogether
					s.know(l.message.Subject, l.sequence)
				}
				close(l.written)
			}
			return
		}
	}
	var all sync.WaitGroup
	for _, l := range letters {
		all.Go(func() {
			if l.sequence, l.err = s.publish(ctx, l.message); l.err == nil {
				s.know(l.message.Subject, l.sequence)
			}
			close(l.written)
		})
	}
	all.Wait()
}

// publishAll is one batch, and returns the place of its last message, which is the only
// one that is answered. The others are right before it.
//
// https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-50.md
func (s *Stream) publishAll(ctx context.Context, letters []*letter) (last uint64, err error) {
	id := rand.Text()
	for n, l := range letters {
		m := &nats.Msg{Subject: l.message.Subject, Data: l.message.Data, Header: maps.Clone(l.message.Header)}
		m.Header.Set("Nats-Batch-Id", id)
		m.Header.Set("Nats-Batch-Sequence", strconv.Itoa(n+1))
		if n < len(letters)-1 {
			if err := s.js.Conn().PublishMsg(m); err != nil {
				return 0, err
			}
			continue
		}
		m.Header.Set("Nats-Batch-Commit", "1")
		ack, err := s.js.PublishMsg(ctx, m)
		if err != nil {
			return 0, err
		}
		last = ack.Sequence
	}
	return last, nil
}
