package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/havip"
)

// JetStream is a ledger in the key-value store of a NATS JetStream, embedded or
// a cluster.
type JetStream struct {
	records, stories, dead jetstream.KeyValue
}

var _ Ledger = (*JetStream)(nil)

// forget is when a record that nobody saved is forgotten: long after its last
// mark, event and call mean anything.
const forget = 31 * 24 * time.Hour

// OpenJetStream opens the three buckets, and creates them where they are missing.
func OpenJetStream(ctx context.Context, js jetstream.JetStream, replicas int) (*JetStream, error) {
	open := func(name, what string, keep time.Duration) (jetstream.KeyValue, error) {
		kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: name, Description: what, TTL: keep, Replicas: replicas, Storage: jetstream.FileStorage,
		})
		if err != nil {
			return nil, fmt.Errorf("ledger: open bucket %s: %w", name, err)
		}
		return kv, nil
	}
	records, err1 := open("havip-ledger", "one record a HAVIP", forget)
	stories, err2 := open("havip-stories", "stories that ended", Keep)
	dead, err3 := open("havip-dead", "events that none could read", Keep)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return &JetStream{records, stories, dead}, nil
}

// Load implements [havip.Ledger].
func (j *JetStream) Load(ctx context.Context, key string) (havip.Record, havip.Revision, error) {
	var r havip.Record
	rev, err := load(ctx, j.records, key, &r)
	if errors.Is(err, ErrNotFound) {
		return havip.Record{}, 0, nil
	}
	return r, havip.Revision(rev), err
}

// Save implements [havip.Ledger].
func (j *JetStream) Save(ctx context.Context, key string, r havip.Record, rev havip.Revision) (havip.Revision, error) {
	bytes, err := json.Marshal(r)
	if err != nil {
		return 0, err
	}
	var saved uint64
	if rev == 0 {
		saved, err = j.records.Create(ctx, key, bytes)
	} else {
		saved, err = j.records.Update(ctx, key, bytes, uint64(rev))
	}
	return havip.Revision(saved), conflict(err)
}

// conflict finds the lost compare-and-set among JetStream's errors.
func conflict(err error) error {
	var api *jetstream.APIError
	if errors.Is(err, jetstream.ErrKeyExists) ||
		errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
		return havip.ErrConflict
	}
	return err
}

// Archive implements [Ledger].
func (j *JetStream) Archive(ctx context.Context, s havip.Story) error {
	return put(ctx, j.stories, shelf(s)+"."+s.ID, s)
}

// Archived implements [Ledger].
func (j *JetStream) Archived(ctx context.Context, key string) ([]havip.Story, error) {
	filter := ">"
	if key != "" {
		filter = key + ".*"
	}
	stories, err := list[havip.Story](ctx, j.stories, filter)
	newestFirst(stories)
	return stories, err
}

// Bury implements [Ledger].
func (j *JetStream) Bury(ctx context.Context, d DeadLetter) error {
	var known DeadLetter
	switch _, err := load(ctx, j.dead, d.ID, &known); {
	case err == nil:
		d = known.again(d)
	case !errors.Is(err, ErrNotFound):
		return err
	}
	return put(ctx, j.dead, d.ID, d)
}

// DeadLetters implements [Ledger].
func (j *JetStream) DeadLetters(ctx context.Context) ([]DeadLetter, error) {
	letters, err := list[DeadLetter](ctx, j.dead, ">")
	latestFirst(letters)
	return letters, err
}

// Exhume implements [Ledger].
func (j *JetStream) Exhume(ctx context.Context, id string) (DeadLetter, error) {
	var d DeadLetter
	if _, err := load(ctx, j.dead, id, &d); err != nil {
		return d, err
	}
	return d, j.dead.Delete(ctx, id)
}

func load(ctx context.Context, kv jetstream.KeyValue, key string, into any) (uint64, error) {
	e, err := kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrInvalidKey) {
		return 0, ErrNotFound
	}
	if err != nil {
		return 0, err
	}
	return e.Revision(), json.Unmarshal(e.Value(), into)
}

func put(ctx context.Context, kv jetstream.KeyValue, key string, value any) error {
	bytes, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = kv.Put(ctx, key, bytes)
	return err
}

// list reads every value under the filter in one pass.
func list[T any](ctx context.Context, kv jetstream.KeyValue, filter string) ([]T, error) {
	w, err := kv.Watch(ctx, filter, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Stop() }() // it has said all
	var found []T
	for {
		select {
		case <-ctx.Done():
			return found, ctx.Err()
		case e := <-w.Updates():
			if e == nil { // the end of what there is
				return found, nil
			}
			var v T
			if err := json.Unmarshal(e.Value(), &v); err != nil {
				return found, err
			}
			found = append(found, v)
		}
	}
}
