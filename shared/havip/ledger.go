package havip

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Revision is a value's in the ledger; 0 stands for none.
type Revision uint64

// Ledger keeps a value under each key, to be changed by compare-and-set, and the
// stories that ended. Under the keys of events it forgets: see [EventKey]. A failure
// other than [ErrConflict] means that nothing is known of a write: what caused it is
// to be delivered again.
type Ledger interface {
	// Load returns the value, or nil and revision 0 for none.
	Load(ctx context.Context, key string) ([]byte, Revision, error)

	// Save writes the value where its revision is still rev, 0 for none yet, and
	// returns the new revision; otherwise it is ErrConflict.
	Save(ctx context.Context, key string, value []byte, rev Revision) (Revision, error)

	// Create writes values where their keys have none, in one go where it can; a key
	// that has one keeps it.
	Create(ctx context.Context, values map[string][]byte) error

	// Archive keeps a story that ended for 30 days. Doing so again is no error.
	Archive(ctx context.Context, s Story) error
}

// Load reads the value under a key, the zero one for none.
func Load[T any](ctx context.Context, l Ledger, key string) (v T, rev Revision, err error) {
	text, rev, err := l.Load(ctx, key)
	if err != nil {
		return v, 0, fmt.Errorf("ledger: read %s: %w", key, err)
	}
	if rev == 0 {
		return v, 0, nil
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return v, 0, fmt.Errorf("ledger: %s holds nothing of ours: %w", key, err)
	}
	return v, rev, nil
}

// Save is the compare-and-set of a value.
func Save[T any](ctx context.Context, l Ledger, key string, v T, rev Revision) (Revision, error) {
	text, err := encode(v)
	if err == nil {
		rev, err = l.Save(ctx, key, text, rev)
	}
	if err != nil {
		return 0, fmt.Errorf("ledger: write %s: %w", key, err)
	}
	return rev, nil
}

// Update reads a value, lets change it, and writes it back, again where somebody
// else was faster, and later each time. What change calls no change is not
// written. It returns the value as the ledger has it now, with its revision.
func Update[T any](ctx context.Context, l Ledger, key string, change func(*T) (changed bool, err error)) (T, Revision, error) {
	v, rev, err := Load[T](ctx, l, key)
	if err != nil {
		return v, 0, err
	}
	return updateFrom(ctx, l, key, v, rev, change)
}

// updateFrom is Update of a value that was read or written at that revision.
func updateFrom[T any](ctx context.Context, l Ledger, key string, v T, rev Revision, change func(*T) (changed bool, err error)) (T, Revision, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		changed, err := change(&v)
		if err == nil && !changed {
			return v, rev, nil
		}
		if err != nil {
			var none T
			return none, 0, err
		}
		saved, err := Save(ctx, l, key, v, rev)
		switch {
		case err == nil:
			return v, saved, nil
		case errors.Is(err, ErrConflict):
			err = rest(ctx, pause)
		}
		if err == nil {
			v, rev, err = Load[T](ctx, l, key)
		}
		if err != nil {
			var none T
			return none, 0, err
		}
	}
}

// The pauses after a lost compare-and-set.
const (
	firstPause = 2 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("ledger: others were always faster: %w", ctx.Err())
	}
}

// encode writes JSON in which < and & stay one byte: a value has a size to keep.
func encode(v any) ([]byte, error) {
	if r, ok := v.(Record); ok {
		return r.encode()
	}
	return plain(v)
}

func plain(v any) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(2 << 10) // which most fit into
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
