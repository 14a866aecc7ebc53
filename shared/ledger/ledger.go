// Package ledger remembers, between two looks, what must not be forgotten: the
// record of each HAVIP, how stories ended, and the events that none could read.
package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"havip-functions/shared/havip"
)

// ErrNotFound says that there is no such story or dead letter.
var ErrNotFound = errors.New("not found")

// Ledger is all that is remembered. Every implementation passes the suite in
// this package's tests.
type Ledger interface {
	havip.Ledger

	// Archive keeps a story that ended for 30 days. Doing so again is no error.
	Archive(ctx context.Context, s havip.Story) error

	// Archived returns the ended stories of a HAVIP, or of all for an empty
	// key, the newest first.
	Archived(ctx context.Context, havip string) ([]havip.Story, error)

	// Bury keeps a dead letter for 30 days. One with the same id is the same
	// letter again: its attempts and times are joined.
	Bury(ctx context.Context, d DeadLetter) error

	// DeadLetters returns them, the newest first.
	DeadLetters(ctx context.Context) ([]DeadLetter, error)

	// Exhume removes a dead letter and returns it, or ErrNotFound.
	Exhume(ctx context.Context, id string) (DeadLetter, error)
}

// Keep is how long ended stories and dead letters are kept.
const Keep = 30 * 24 * time.Hour

// DeadLetter is an event that no redelivery can cure, with its bytes.
type DeadLetter struct {
	ID       string    `json:"id"`
	Source   string    `json:"source"`
	Type     string    `json:"type"`
	Reason   string    `json:"reason"`
	Attempts int       `json:"attempts"`
	FirstAt  time.Time `json:"firstAt"`
	LastAt   time.Time `json:"lastAt"`
	Bytes    []byte    `json:"bytes"`
}

// NewDeadLetter makes one of the bytes that arrived. The same bytes have the same id.
func NewDeadLetter(payload []byte, reason string, at time.Time) DeadLetter {
	sum := sha256.Sum256(payload)
	return DeadLetter{
		ID: hex.EncodeToString(sum[:12]), Reason: reason, Attempts: 1, FirstAt: at, LastAt: at, Bytes: payload,
	}
}

// again joins what is known of the letter with its newest arrival.
func (d DeadLetter) again(newer DeadLetter) DeadLetter {
	newer.Attempts += d.Attempts
	newer.FirstAt = d.FirstAt
	return newer
}

// shelf is where a story is archived: under its HAVIP, or apart where its event
// concerned none of the roster, since nobody has checked those names.
func shelf(s havip.Story) string {
	if s.Name == "" {
		return "stray"
	}
	return s.HAVIP.String()
}
