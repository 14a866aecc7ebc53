package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/havip"
)

// maxBatch is how many messages NATS takes as one.
const maxBatch = 1000

// create writes values where their keys have none: as one batch, which the engine
// syncs once. Where one has a value already, or the server knows no batches, they
// are written one by one.
//
// https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-50.md
func (b bucket) create(ctx context.Context, values map[string][]byte) error {
	for keys := range slices.Chunk(slices.Sorted(maps.Keys(values)), maxBatch) {
		err := errNoBatches
		if len(keys) > 1 && b.stream.CachedInfo().Config.AllowAtomicPublish {
			err = b.createAll(ctx, keys, values)
		}
		if err == nil {
			continue
		}
		if errors.Is(err, ErrSlow) || errors.Is(err, ErrGone) || errors.Is(err, ErrFull) || errors.Is(err, ErrKey) {
			return err
		}
		for _, key := range keys {
			_, err := b.put(ctx, key, values[key], jetstream.WithExpectLastSequencePerSubject(0))
			if err != nil && !errors.Is(err, havip.ErrConflict) {
				return err
			}
		}
	}
	return nil
}

var errNoBatches = errors.New("this server knows no batches")

// createAll is one batch: the last message commits it, and is the only one that is
// answered.
func (b bucket) createAll(ctx context.Context, keys []string, values map[string][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	id := rand.Text()
	for n, key := range keys {
		if err := checkKey(key); err != nil {
			return err
		}
		m := nats.NewMsg(b.subject + key)
		m.Data = values[key]
		m.Header.Set("Nats-Batch-Id", id)
		m.Header.Set("Nats-Batch-Sequence", strconv.Itoa(n+1))
		m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, "0")
		if n < len(keys)-1 {
			if err := b.js.Conn().PublishMsg(m); err != nil {
				return kind(err)
			}
			continue
		}
		m.Header.Set("Nats-Batch-Commit", "1")
		if _, err := b.js.PublishMsg(ctx, m); err != nil {
			return kind(err)
		}
	}
	return nil
}
