package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"havip-functions/shared/havip"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// bucket is a stream that keeps the newest value of each key. Its reads are
// answered by the leader: what a replica says may be old, and who believes it
// would lose follow-ups.
type bucket struct {
	stream  *Stream
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
	return bucket{stream: stream, subject: "$KV." + name + "."}, nil
}

func (b bucket) get(ctx context.Context, key string) ([]byte, uint64, error) {
	if err := checkKey(key); err != nil {
		return nil, 0, err
	}
	m, err := b.stream.newest(ctx, b.subject+key)
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

// put writes a value, where the key's revision is rev; nil is whatever it is.
func (b bucket) put(ctx context.Context, key string, value []byte, rev *uint64) (uint64, error) {
	l, err := b.letter(key, value, rev)
	if err != nil {
		return 0, err
	}
	if err := b.stream.write(ctx, l); err != nil {
		return 0, err
	}
	return l.sequence, l.err
}

// create writes values where their keys have none. It asks for them before: one that is
// there would spoil the batch.
func (b bucket) create(ctx context.Context, values map[string][]byte) error {
	var asking sync.WaitGroup
	letters := make([]*letter, 0, len(values))
	var mu sync.Mutex
	for key, value := range values {
		l, err := b.letter(key, value, new(uint64))
		if err != nil {
			return err
		}
		asking.Go(func() {
			if _, rev, _ := b.get(ctx, key); rev == 0 {
				mu.Lock()
				defer mu.Unlock()
				letters = append(letters, l)
			}
		})
	}
	asking.Wait()
	if err := b.stream.write(ctx, letters...); err != nil {
		return err
	}
	for _, l := range letters {
		if l.err != nil && !errors.Is(l.err, havip.ErrConflict) {
			return l.err
		}
	}
	return nil
}

func (b bucket) letter(key string, value []byte, rev *uint64) (*letter, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	m := nats.NewMsg(b.subject + key)
	m.Data = value
	m.Header.Set(jetstream.MsgIDHeader, rand.Text())
	if rev != nil {
		m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(*rev, 10))
	}
	return newLetter(m), nil
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
	info, err := b.stream.Info(ctx)
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
			return nil, err
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
			return nil, err
		}
		if seq = m.Sequence; seq < end {
			found = append(found, message{seq, m.Data})
		}
	}
	return found, nil
}
