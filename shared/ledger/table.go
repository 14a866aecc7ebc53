package ledger

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"havip-functions/shared/havip"
)

// Table is a ledger in a table of a cloud, for functions: nothing has to run for it.
// [OpenDynamoDB] and [OpenTablestore] open one.
type Table struct{ rows table }

var _ Ledger = (*Table)(nil)

// row is one of a table, under its part and its place in there. What is past its
// expiry counts as gone: the table deletes it some time later.
type row struct {
	part, sort string
	body       []byte
	expires    int64  // in seconds of Unix, 0 for never
	ended      string // its place in the histories: see [listed]
	rev        int64  // of a value
	nonce      string // of the write that made it
	size       int64  // of a dead letter's bytes, where they are kept
	count      int64  // of a tally
	holder     string // the key of the stray in a slot
}

// table is what a cloud's table does with rows. What is read has been written before,
// but for the history of all, which may lag a second.
type table interface {
	now(ctx context.Context) (time.Time, error)

	// get returns none where there is none, and all those of a part by their places.
	get(ctx context.Context, part, sort string) (row, error)
	all(ctx context.Context, part string) ([]row, error)

	// put writes a row and lists it in the histories; remove undoes both.
	put(ctx context.Context, r row) error
	remove(ctx context.Context, r row) error

	// compareAndSet puts a row where the one before has the revision, or for 0 where
	// there is none. A try that is repeated because its reply was lost finds its own
	// nonce, and has written. It fails with [havip.ErrConflict].
	compareAndSet(ctx context.Context, r row, rev havip.Revision) error

	// add adds to the numbers of a row, and returns them.
	add(ctx context.Context, part, sort string, count, size int) (row, error)

	// history returns about so many rows of a part, or of all for an empty one, below
	// a place, the newest first, and whether there are more.
	history(ctx context.Context, part, from string, most int) (found []row, more bool, err error)
}

// expire says when the row may go, and returns it.
func (r row) expire(life time.Duration) row {
	if life > 0 {
		r.expires = time.Now().Add(life).Unix()
	}
	return r
}

func (r row) gone() bool {
	return r.part == "" || r.expires > 0 && r.expires <= time.Now().Unix()
}

// The names of a row's columns, which are DynamoDB's attributes.
const (
	partKey   = "pk"
	sortKey   = "sk"
	valueText = "body"
	expiry    = "expires"
	endedAt   = "ended"
	revision  = "rev"
	onceOnly  = "nonce"
	letterLen = "size"
	counted   = "n"
	slotFor   = "holder"

	everyone = "every" // the history of all
)

// numbers and texts are the columns that may be there, beside the key and the body.
func (r *row) numbers() map[string]*int64 {
	return map[string]*int64{expiry: &r.expires, revision: &r.rev, letterLen: &r.size, counted: &r.count}
}

func (r *row) texts() map[string]*string {
	return map[string]*string{endedAt: &r.ended, onceOnly: &r.nonce, slotFor: &r.holder}
}

const (
	valueParts = "value:" // before a key
	valueSort  = "value"
	tallyPart  = "tally"
	strayPart  = "strays"
)

func valueRow(key string) row { return row{part: valueParts + key, sort: valueSort} }

// find reads a row, and returns none where it is past its time.
func (t *Table) find(ctx context.Context, part, sort string) (row, error) {
	r, err := t.rows.get(ctx, part, sort)
	if err != nil || r.gone() {
		return row{}, err
	}
	return r, nil
}

// Now implements [Ledger].
func (t *Table) Now(ctx context.Context) (time.Time, error) { return t.rows.now(ctx) }

// Load implements [havip.Ledger].
func (t *Table) Load(ctx context.Context, key string) ([]byte, havip.Revision, error) {
	if err := checkKey(key); err != nil {
		return nil, 0, err
	}
	r, err := t.find(ctx, valueParts+key, valueSort)
	return r.body, havip.Revision(r.rev), err
}

// Save implements [havip.Ledger]. A revision is never used twice, even after the value
// is lost, because it is at least the time in microseconds.
func (t *Table) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	r := valueRow(key).expire(life(key))
	r.body, r.nonce, r.rev = value, rand.Text(), max(int64(rev)+1, time.Now().UnixMicro())
	if havip.IsStrayKey(key) {
		r.ended = strayEnded(value)
	}
	if err := t.rows.compareAndSet(ctx, r, rev); err != nil {
		return 0, err
	}
	if rev == 0 && havip.IsStrayKey(key) {
		return havip.Revision(r.rev), t.crowdStrays(ctx, key)
	}
	return havip.Revision(r.rev), nil
}

// atOnce is how many writes of one Create are on their way at once.
const atOnce = 16

// Create implements [havip.Ledger]. Batches know no conditions in DynamoDB, and cost
// the same in Tablestore; transactions cost twice as much.
func (t *Table) Create(ctx context.Context, values map[string][]byte) error {
	for key := range values {
		if err := checkKey(key); err != nil {
			return err
		}
	}
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(atOnce)
	for key, value := range values {
		all.Go(func() error {
			if _, err := t.Save(ctx, key, value, 0); !errors.Is(err, havip.ErrConflict) {
				return err
			}
			return nil
		})
	}
	return all.Wait()
}

// strayEnded lists the story of a stray in the history of all.
func strayEnded(value []byte) string {
	var record havip.Record
	if json.Unmarshal(value, &record) != nil || record.Story == nil {
		return "" // it is no stray of ours
	}
	return listed(*record.Story)
}

// crowdStrays gives a new stray its slot, of which there are as many as strays may
// be: whoever had it is the oldest, and goes.
func (t *Table) crowdStrays(ctx context.Context, key string) error {
	tally, err := t.rows.add(ctx, tallyPart, strayPart, 1, 0)
	if err != nil {
		return err
	}
	slot := row{part: strayPart, sort: strconv.FormatInt(tally.count%MaxStrays, 10), holder: key}.expire(life(key))
	before, err := t.find(ctx, slot.part, slot.sort)
	if err != nil {
		return err
	}
	if err := t.rows.put(ctx, slot); err != nil || before.holder == "" || before.holder == key {
		return err
	}
	oldest, err := t.find(ctx, valueParts+before.holder, valueSort)
	if err != nil || oldest.part == "" {
		return err
	}
	return t.rows.remove(ctx, oldest)
}
