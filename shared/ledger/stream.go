package ledger

import (
	"context"
	"errors"
	"sync"
	"time"

	"havip-functions/shared/havip"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Stream is one of NATS. Messages for it that come at once are written as one batch,
// where the engine syncs that once: as long as one write is under way, others gather for
// the next. A replicated stream writes each by itself, since its sync is not what is
// waited for.
type Stream struct {
	jetstream.Stream
	js       jetstream.JetStream
	together bool

	mu      sync.Mutex
	waiting []*letter
	writing bool
	newer   map[string]uint64 // subject → the sequence that was read or written last
}

// answer is how long a cluster may take to answer one of the questions that open a
// stream: one that has no leader yet says nothing at all, and has to be asked again.
const answer = 5 * time.Second

// OpenStream creates a stream, or brings the one that is there up to date, once there
// is somebody to do it. It never lowers how many replicas there are: who starts while
// a node is away sees a smaller cluster than there is.
func OpenStream(ctx context.Context, js jetstream.JetStream, c jetstream.StreamConfig) (*Stream, error) {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	for {
		stream, err := openStream(ctx, js, c)
		if ctx.Err() != nil || js.Conn().IsClosed() || !errors.Is(err, ErrSlow) && !errors.Is(err, ErrGone) {
			return stream, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func openStream(ctx context.Context, js jetstream.JetStream, c jetstream.StreamConfig) (*Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	there, err := js.Stream(ctx, c.Name)
	switch {
	case err == nil:
		was := there.CachedInfo().Config
		c.Replicas, c.DenyDelete = max(c.Replicas, was.Replicas), was.DenyDelete // which can't be taken back
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, kind(err)
	}
	c.AllowAtomicPublish = c.AllowAtomicPublish || c.Replicas <= 1
	stream, err := js.CreateOrUpdateStream(ctx, c)
	if err != nil {
		return nil, kind(err)
	}
	now := stream.CachedInfo().Config // an older server knows no batches
	return &Stream{Stream: stream, js: js, together: now.AllowAtomicPublish && now.Replicas <= 1}, nil
}

// Publish writes a message and returns its place once it is durable, once: it needs an id
// that no other has, so that an engine that hears it again answers as it did the first
// time. After an error of no known kind nothing is known of it.
func (s *Stream) Publish(ctx context.Context, m *nats.Msg) (uint64, error) {
	l := newLetter(m)
	if err := s.write(ctx, l); err != nil {
		return 0, err
	}
	return l.sequence, l.err
}

// publish asks again where nobody answers, as a leader that dies does not.
func (s *Stream) publish(ctx context.Context, m *nats.Msg) (uint64, error) {
	asked := 0
	ack, err := again(ctx, func(ctx context.Context) (*jetstream.PubAck, error) {
		asked++
		return s.js.PublishMsg(ctx, m)
	})
	switch {
	case errors.Is(err, havip.ErrConflict) && asked > 1: // perhaps with what was written the first time
		return s.place(ctx, m)
	case err != nil:
		return 0, err
	}
	return ack.Sequence, nil
}

// place is where one message is, if it is the newest of its subject. Another's may have
// come since, so that nothing is known of it then.
func (s *Stream) place(ctx context.Context, m *nats.Msg) (uint64, error) {
	newest, err := s.newest(ctx, m.Subject)
	if err == nil && newest.Header.Get(jetstream.MsgIDHeader) == m.Header.Get(jetstream.MsgIDHeader) {
		return newest.Sequence, nil
	}
	return 0, errors.Join(ErrSlow, err)
}

func (s *Stream) newest(ctx context.Context, subject string) (*jetstream.RawStreamMsg, error) {
	m, err := s.GetLastMsgForSubject(ctx, subject)
	if err == nil {
		s.know(subject, m.Sequence)
	}
	return m, err
}

// GetLastMsgForSubject asks again where nobody answers, as all questions here do.
func (s *Stream) GetLastMsgForSubject(ctx context.Context, subject string) (*jetstream.RawStreamMsg, error) {
	return again(ctx, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return s.Stream.GetLastMsgForSubject(ctx, subject)
	})
}

// GetMsg implements [jetstream.Stream].
func (s *Stream) GetMsg(ctx context.Context, seq uint64, opts ...jetstream.GetMsgOpt) (*jetstream.RawStreamMsg, error) {
	return again(ctx, func(ctx context.Context) (*jetstream.RawStreamMsg, error) { return s.Stream.GetMsg(ctx, seq, opts...) })
}

// Info implements [jetstream.Stream].
func (s *Stream) Info(ctx context.Context, opts ...jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error) {
	return again(ctx, func(ctx context.Context) (*jetstream.StreamInfo, error) { return s.Stream.Info(ctx, opts...) })
}
