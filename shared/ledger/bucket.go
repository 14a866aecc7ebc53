package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// bucket is a stream that keeps the newest value of each key. Its reads are
// answered by the leader: what a replica says may be old, and who believes it
// would lose follow-ups.
type bucket struct {
	js      jetstream.JetStream
	stream  jetstream.Stream
	subject string // before a key
}

// patience is how long a write may take before nothing is known of it. With the
// time of a call it stays below what settles one.
const patience = 10 * time.Second

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

// OpenStream creates a stream, or brings the one that is there up to date. It
// never lowers how many replicas there are: who starts while a node is away sees a
// smaller cluster than there is.
func OpenStream(ctx context.Context, js jetstream.JetStream, c jetstream.StreamConfig) (jetstream.Stream, error) {
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
	info, err := b.stream.Info(ctx)
	return info, kind(err)
}

func (b bucket) get(ctx context.Context, key string) ([]byte, uint64, error) {
	if err := checkKey(key); err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m, err := b.stream.GetLastMsgForSubject(ctx, b.subject+key)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, 0, ErrNotFound
	case err != nil:
		return nil, 0, kind(err)
	case m.Header.Get("KV-Operation") != "": // a marker of one that was deleted, by an older version of ours
		return nil, m.Sequence, ErrNotFound
	}
	return m.Data, m.Sequence, nil
}

func (b bucket) put(ctx context.Context, key string, value []byte, options ...jetstream.PublishOpt) (uint64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m := nats.NewMsg(b.subject + key)
	m.Data = value
	ack, err := b.js.PublishMsg(ctx, m, options...)
	if err != nil {
		return 0, kind(err)
	}
	return ack.Sequence, nil
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
// the newest first. A stream is read forwards only, so it looks further and
// further back until it has found enough: what that costs depends on how many are
// asked for, not on how many there are.
func (b bucket) page(ctx context.Context, filter string, below uint64, most int) ([]message, error) {
	info, err := b.info(ctx)
	if err != nil {
		return nil, err
	}
	first, end := max(1, info.State.FirstSeq), info.State.LastSeq+1
	if below > 0 {
		end = min(end, below)
	}
	for width := uint64(2 * most); ; width *= 8 {
		begin := first
		if end > first+width {
			begin = end - width
		}
		found, err := b.between(ctx, filter, begin, end)
		if err != nil {
			return nil, err
		}
		if len(found) >= most || begin == first {
			found = found[max(0, len(found)-most):]
			slices.Reverse(found)
			return found, nil
		}
	}
}

// between reads the values from one sequence up to another.
func (b bucket) between(ctx context.Context, filter string, begin, end uint64) (found []message, err error) {
	if begin >= end {
		return nil, nil
	}
	consumer, err := b.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		FilterSubject: b.subject + filter, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: begin,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 10 * time.Second,
	})
	if err != nil {
		return nil, kind(err)
	}
	defer func() { _ = b.stream.DeleteConsumer(context.WithoutCancel(ctx), consumer.CachedInfo().Name) }() // else it goes by itself
	for left := consumer.CachedInfo().NumPending; left > 0; {
		batch, err := consumer.Fetch(int(min(left, 500)), jetstream.FetchMaxWait(patience))
		if err != nil {
			return nil, kind(err)
		}
		got := uint64(0)
		for m := range batch.Messages() {
			meta, err := m.Metadata()
			if err != nil {
				return nil, err
			}
			got++
			if meta.Sequence.Stream >= end {
				left = got
				break
			}
			if m.Headers().Get("KV-Operation") == "" {
				found = append(found, message{meta.Sequence.Stream, m.Data()})
			}
		}
		if err := batch.Error(); err != nil || got == 0 {
			return found, kind(err)
		}
		left -= min(left, got)
	}
	return found, nil
}
