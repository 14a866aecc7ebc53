package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/havip"
)

// bucket is a stream that keeps the newest value of each key. Its reads are
// answered by the leader: what a replica says may be old, and who believes it
// would lose follow-ups.
type bucket struct {
	js      jetstream.JetStream
	stream  jetstream.Stream
	subject string // before a key
}

// openBucket opens a bucket. Its names are those that NATS gives the streams of
// its key-value stores.
func openBucket(ctx context.Context, js jetstream.JetStream, c jetstream.StreamConfig) (bucket, error) {
	name := c.Name
	c.Name, c.Subjects = "KV_"+name, []string{"$KV." + name + ".>"}
	c.MaxMsgsPerSubject, c.Discard, c.AllowRollup, c.Storage = 1, jetstream.DiscardOld, true, jetstream.FileStorage
	stream, err := OpenStream(ctx, js, c)
	if err != nil {
		return bucket{}, fmt.Errorf("ledger: open bucket %s: %w", name, err)
	}
	return bucket{js: js, stream: stream, subject: "$KV." + name + "."}, nil
}

// answer is how long a cluster may take to answer one of the questions that open a
// stream: one that has no leader yet says nothing at all, and has to be asked again.
const answer = 5 * time.Second

// OpenStream creates a stream, or brings the one that is there up to date, once there
// is somebody to do it. It never lowers how many replicas there are: who starts while
// a node is away sees a smaller cluster than there is.
func OpenStream(ctx context.Context, js jetstream.JetStream, c jetstream.StreamConfig) (jetstream.Stream, error) {
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

func openStream(ctx context.Context, js jetstream.JetStream, c jetstream.StreamConfig) (jetstream.Stream, error) {
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
	stream, err := js.CreateOrUpdateStream(ctx, c)
	return stream, kind(err)
}

func (b bucket) info(ctx context.Context) (*jetstream.StreamInfo, error) {
	return again(ctx, func(ctx context.Context) (*jetstream.StreamInfo, error) { return b.stream.Info(ctx) })
}

func (b bucket) get(ctx context.Context, key string) ([]byte, uint64, error) {
	if err := checkKey(key); err != nil {
		return nil, 0, err
	}
	m, err := b.last(ctx, key)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, 0, ErrNotFound
	case err != nil:
		return nil, 0, err
	case m.Header.Get("KV-Operation") != "": // a marker of one that was deleted, by an older version of ours
		return nil, m.Sequence, ErrNotFound
	}
	return m.Data, m.Sequence, nil
}

func (b bucket) put(ctx context.Context, key string, value []byte, options ...jetstream.PublishOpt) (uint64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	m := nats.NewMsg(b.subject + key)
	m.Data = value
	id := rand.Text()
	sequence, repeated, err := publish(ctx, b.js, m, id, options...)
	if errors.Is(err, havip.ErrConflict) && repeated { // perhaps with what was written the first time
		return b.written(ctx, key, id)
	}
	return sequence, err
}

// written is the sequence of one write, where it is the newest of its key. Another's
// may have come since, so that nothing is known of it then.
func (b bucket) written(ctx context.Context, key, id string) (uint64, error) {
	m, err := b.last(ctx, key)
	if err == nil && m.Header.Get(jetstream.MsgIDHeader) == id {
		return m.Sequence, nil
	}
	return 0, errors.Join(ErrSlow, err)
}

func (b bucket) last(ctx context.Context, key string) (*jetstream.RawStreamMsg, error) {
	return again(ctx, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return b.stream.GetLastMsgForSubject(ctx, b.subject+key)
	})
}

func (b bucket) remove(ctx context.Context, key string) error {
	return kind(b.stream.Purge(ctx, jetstream.WithPurgeSubject(b.subject+key)))
}

// message is a value and its place.
type message struct {
	sequence uint64
	text     []byte
}

// page returns at most so many of the newest values below a sequence, 0 for all,
// the newest first: of all keys, or of those that a filter lets through.
func (b bucket) page(ctx context.Context, filter string, below uint64, most int) ([]message, error) {
	info, err := b.info(ctx)
	if err != nil {
		return nil, err
	}
	first, end := max(1, info.State.FirstSeq), info.State.LastSeq+1
	if below > 0 {
		end = min(end, below)
	}
	if filter == ">" {
		return b.backwards(ctx, first, end, most)
	}
	// By a filter a stream is read forwards only, so this looks further and further
	// back, as far as what it has found lets hope for: what that costs depends on how
	// many are asked for, and not on how many there are.
	var found []message
	for begin, width := end, uint64(2*most); begin > first && len(found) < most; width *= 2 {
		older := first
		if begin > first+width {
			older = begin - width
		}
		some, err := b.forwards(ctx, filter, older, begin)
		if err != nil {
			return nil, err
		}
		begin, found = older, append(some, found...)
		if len(some) == 0 {
			width *= 4
		}
	}
	found = found[max(0, len(found)-most):]
	slices.Reverse(found)
	return found, nil
}

// backwards reads values, one by one, from the last below end.
func (b bucket) backwards(ctx context.Context, first, end uint64, most int) (found []message, err error) {
	for seq := end - 1; seq >= first && len(found) < most; seq-- {
		m, err := b.stream.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) { // another has taken its place
			continue
		}
		if err != nil {
			return nil, kind(err)
		}
		found = append(found, message{m.Sequence, m.Data})
	}
	return found, nil
}

// forwards reads the values that a filter lets through, from one sequence up to
// another.
func (b bucket) forwards(ctx context.Context, filter string, begin, end uint64) (found []message, err error) {
	for seq := begin; seq < end; seq++ {
		m, err := b.stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(b.subject+filter))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return found, nil
		}
		if err != nil {
			return nil, kind(err)
		}
		if seq = m.Sequence; seq < end {
			found = append(found, message{seq, m.Data})
		}
	}
	return found, nil
}
