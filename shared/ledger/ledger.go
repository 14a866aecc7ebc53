// Package ledger remembers, between two looks, what must not be forgotten: the
// record of each HAVIP, how stories ended, and the events that none could read.
package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
)

// Ledger is all that is remembered. Every implementation passes the suite in
// this package's tests. Its errors are told apart by their kind: see [ErrSlow].
type Ledger interface {
	havip.Ledger

	// Now is the ledger's time.
	Now(ctx context.Context) (time.Time, error)

	// Story returns an archived story, or that of a stray, or ErrNotFound.
	Story(ctx context.Context, id string) (havip.Story, error)

	// Stories returns at most so many ended stories of a HAVIP, or of all and the
	// strays for an empty key, the newest first. They begin after the place that
	// next named the time before, or with the newest for an empty from; an empty
	// next tells that there are no more.
	Stories(ctx context.Context, key, from string, most int) (found []havip.Story, next string, err error)

	// Bury keeps a dead letter for 30 days. One with the same id is the same
	// letter again: its attempts and times are joined. It tells whether the
	// oldest one had to go for it.
	Bury(ctx context.Context, d DeadLetter) (full bool, err error)

	// DeadLetter returns one, or ErrNotFound.
	DeadLetter(ctx context.Context, id string) (DeadLetter, error)

	// DeadLetters returns them, the newest first.
	DeadLetters(ctx context.Context) ([]DeadLetter, error)

	// Exhume removes a dead letter and returns it, or ErrNotFound.
	Exhume(ctx context.Context, id string) (DeadLetter, error)
}

// How much is kept, and for how long. What is beyond goes, the oldest first.
const (
	Keep      = 30 * 24 * time.Hour // ended stories and dead letters
	forgetOld = 48 * time.Hour      // an event by its own key

	MaxDead      = 1000     // dead letters
	MaxDeadBytes = 64 << 20 // of what arrived as dead letters; the letters themselves stay
	MaxStrays    = 10_000   // events that concerned no HAVIP of the roster
)

// life is how long the value under a key is remembered, 0 for ever: a freeze or a
// closed brake ends when a person said so, and there are no more records than HAVIPs.
func life(key string) time.Duration {
	if havip.IsEventKey(key) || havip.IsStrayKey(key) {
		return forgetOld
	}
	return 0
}

// DeadLetter is an event that no redelivery can cure, and its bytes, which are kept
// apart: a list has none of them.
type DeadLetter struct {
	ID       string      `json:"id"`
	Scope    guard.Scope `json:"scope"` // of its sender: it may say no more when it is tried again
	Type     string      `json:"type"`  // of its events, as far as they can be made out
	Reason   string      `json:"reason"`
	Attempts int         `json:"attempts"`
	FirstAt  time.Time   `json:"firstAt"`
	LastAt   time.Time   `json:"lastAt"`
	Size     int         `json:"size"` // of what arrived, in bytes
	Bytes    []byte      `json:"bytes,omitempty"`
}

// maxReason bounds what a dead letter says of itself, in bytes.
const maxReason = 2000

// NewDeadLetter makes one of the bytes that arrived. The same bytes have the same id.
func NewDeadLetter(payload []byte, reason string, at time.Time) DeadLetter {
	sum := sha256.Sum256(payload)
	return DeadLetter{
		ID: hex.EncodeToString(sum[:12]), Reason: reason[:min(len(reason), maxReason)],
		Attempts: 1, FirstAt: at, LastAt: at, Size: len(payload), Bytes: payload,
	}
}

// again joins what is known of the letter with its newest arrival.
func (d DeadLetter) again(newer DeadLetter) DeadLetter {
	newer.Attempts += d.Attempts
	newer.FirstAt = d.FirstAt
	newer.Scope = max(d.Scope, newer.Scope) // whoever may say more has said the same
	return newer
}

// label is what is kept of a letter beside its bytes.
func (d DeadLetter) label() ([]byte, error) {
	d.Bytes = nil
	return json.Marshal(d)
}
