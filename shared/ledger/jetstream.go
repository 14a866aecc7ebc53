package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/havip"
)

// JetStream is a ledger in the streams of a NATS JetStream, embedded or a cluster.
type JetStream struct {
	records, events, strays, stories, dead, letters bucket

	maxLetter int // bytes
}

var _ Ledger = (*JetStream)(nil)

// OpenJetStream opens the buckets, and creates them where they are missing, with
// at least so many replicas.
func OpenJetStream(ctx context.Context, js jetstream.JetStream, replicas int) (*JetStream, error) {
	var failed []error
	open := func(c jetstream.StreamConfig) bucket {
		c.Replicas = replicas
		b, err := openBucket(ctx, js, c)
		failed = append(failed, err)
		return b
	}
	j := &JetStream{
		records: open(jetstream.StreamConfig{Name: "havip-ledger", Description: "one record a HAVIP"}),
		events: open(jetstream.StreamConfig{Name: "havip-events", Description: "events by their own key",
			MaxAge: forgetOld, MaxBytes: 1 << 30, AllowAtomicPublish: true}),
		strays: open(jetstream.StreamConfig{Name: "havip-strays", Description: "events that concerned no HAVIP of the roster",
			MaxAge: forgetOld, MaxMsgs: MaxStrays, MaxBytes: 64 << 20}),
		stories: open(jetstream.StreamConfig{Name: "havip-stories", Description: "stories that ended", MaxAge: Keep, MaxBytes: 2 << 30}),
		dead: open(jetstream.StreamConfig{Name: "havip-dead", Description: "events that none could read",
			MaxAge: Keep, MaxMsgs: MaxDead}),
		letters: open(jetstream.StreamConfig{Name: "havip-letters", Description: "the bytes of those that none could read",
			MaxAge: Keep, MaxMsgs: MaxDead, MaxBytes: MaxDeadBytes}),
		maxLetter: int(js.Conn().MaxPayload()) - 4<<10,
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return j, nil
}

// of is the bucket that a key belongs into.
func (j *JetStream) of(key string) bucket {
	switch {
	case havip.IsEventKey(key):
		return j.events
	case havip.IsStrayKey(key):
		return j.strays
	}
	return j.records
}

// Now implements [Ledger].
func (j *JetStream) Now(ctx context.Context) (time.Time, error) {
	info, err := j.records.stream.Info(ctx)
	if err != nil {
		return time.Time{}, err
	}
	if info.TimeStamp.IsZero() {
		return time.Time{}, havip.ErrNoTime
	}
	return info.TimeStamp, nil
}

// Load implements [havip.Ledger].
func (j *JetStream) Load(ctx context.Context, key string) ([]byte, havip.Revision, error) {
	text, rev, err := j.of(key).get(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return nil, 0, nil
	}
	return text, havip.Revision(rev), err
}

// Save implements [havip.Ledger].
func (j *JetStream) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	saved, err := j.of(key).put(ctx, key, value, (*uint64)(&rev))
	return havip.Revision(saved), err
}

// Create implements [havip.Ledger].
func (j *JetStream) Create(ctx context.Context, values map[string][]byte) error {
	byBucket := map[bucket]map[string][]byte{}
	for key, value := range values {
		b := j.of(key)
		if byBucket[b] == nil {
			byBucket[b] = map[string][]byte{}
		}
		byBucket[b][key] = value
	}
	for b, some := range byBucket {
		if err := b.create(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// Archive implements [havip.Ledger].
func (j *JetStream) Archive(ctx context.Context, s havip.Story) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = j.stories.put(ctx, s.HAVIP.Shelf()+"."+s.ID, text, nil)
	return err
}

// Story implements [Ledger].
func (j *JetStream) Story(ctx context.Context, id string) (s havip.Story, err error) {
	if !havip.IsStoryID(id) {
		return s, ErrNotFound
	}
	text, _, err := j.stories.get(ctx, id[:shelfLen]+"."+id)
	if errors.Is(err, ErrNotFound) {
		var r havip.Record
		r, _, err = havip.Load[havip.Record](ctx, j, havip.StrayKey(id))
		if err != nil || r.Story == nil {
			return s, cmp.Or(err, ErrNotFound)
		}
		return *r.Story, nil
	}
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(text, &s)
}

// shelfLen is how long [havip.Key.Shelf] is.
const shelfLen = 8

// Stories implements [Ledger]. A place is the sequences of the last ones told, of
// the stories and of the strays.
func (j *JetStream) Stories(ctx context.Context, key, from string, most int) ([]havip.Story, string, error) {
	at, err := parsePlace(from)
	if err != nil {
		return nil, "", err
	}
	filter := ">"
	if key != "" {
		filter = shelfOf(key) + ".*"
	}
	told, err := j.stories.page(ctx, filter, at.stories, most)
	if err != nil {
		return nil, "", err
	}
	var strays []message
	if key == "" {
		if strays, err = j.strays.page(ctx, ">", at.strays, most); err != nil {
			return nil, "", err
		}
	}
	return merge(told, strays, at, key, most)
}

// Bury implements [Ledger].
func (j *JetStream) Bury(ctx context.Context, d DeadLetter) (bool, error) {
	known, err := j.label(ctx, d.ID)
	switch {
	case err == nil:
		d = known.again(d)
	case !errors.Is(err, ErrNotFound):
		return false, err
	}
	if len(d.Bytes) > j.maxLetter { // an engine takes only so much at once
		d.Reason += fmt.Sprintf(" (kept are the first %d bytes)", j.maxLetter)
		d.Bytes = d.Bytes[:j.maxLetter]
	}
	if _, err := j.letters.put(ctx, d.ID, d.Bytes, nil); err != nil {
		return false, err
	}
	before, err := j.dead.stream.Info(ctx)
	if err != nil {
		return false, err
	}
	text, err := d.label()
	if err != nil {
		return false, err
	}
	_, err = j.dead.put(ctx, d.ID, text, nil)
	return before.State.Msgs >= MaxDead && known.ID == "", err
}

func (j *JetStream) label(ctx context.Context, id string) (d DeadLetter, err error) {
	text, _, err := j.dead.get(ctx, id)
	if errors.Is(err, ErrKey) {
		return d, ErrNotFound
	}
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(text, &d)
}

// DeadLetter implements [Ledger].
func (j *JetStream) DeadLetter(ctx context.Context, id string) (DeadLetter, error) {
	d, err := j.label(ctx, id)
	if err != nil {
		return d, err
	}
	d.Bytes, _, err = j.letters.get(ctx, id)
	if errors.Is(err, ErrNotFound) { // newer ones have crowded them out
		return d, nil
	}
	return d, err
}

// DeadLetters implements [Ledger].
func (j *JetStream) DeadLetters(ctx context.Context) ([]DeadLetter, error) {
	found, err := j.dead.page(ctx, ">", 0, MaxDead)
	var letters []DeadLetter
	for _, m := range found {
		var d DeadLetter
		if err := json.Unmarshal(m.text, &d); err != nil {
			return letters, err
		}
		d.Bytes = nil // those of an older version of ours
		letters = append(letters, d)
	}
	latestFirst(letters)
	return letters, err
}

// Exhume implements [Ledger].
func (j *JetStream) Exhume(ctx context.Context, id string) (DeadLetter, error) {
	d, err := j.DeadLetter(ctx, id)
	if err != nil {
		return d, err
	}
	return d, cmp.Or(j.dead.remove(ctx, id), j.letters.remove(ctx, id))
}
