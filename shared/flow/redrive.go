package flow

import (
	"context"
	"fmt"
	"slices"
	"time"

	"havip-functions/events"
	"havip-functions/shared/ledger"
)

// DeadLetter finds one by its id, or is [ledger.ErrNotFound].
func (f Function) DeadLetter(ctx context.Context, id string) (ledger.DeadLetter, error) {
	letters, err := f.Ledger.DeadLetters(ctx)
	if err != nil {
		return ledger.DeadLetter{}, err
	}
	i := slices.IndexFunc(letters, func(d ledger.DeadLetter) bool { return d.ID == id })
	if i < 0 {
		return ledger.DeadLetter{}, ledger.ErrNotFound
	}
	return letters[i], nil
}

// Redrive tries a dead letter again, because a person says so, and removes it
// once all of its events are durable. One that still can't be read stays, and
// the error is events.ErrInvalid.
func (f Function) Redrive(ctx context.Context, id, reason string) ([]Accepted, error) {
	d, err := f.DeadLetter(ctx, id)
	if err != nil {
		return nil, err
	}
	list, err := events.Read(d.Bytes, time.Now().UTC())
	if err != nil {
		return nil, fmt.Errorf("dead letter %s: %w", id, err)
	}
	answers, err := f.acceptAll(ctx, list)
	if err != nil {
		return nil, err
	}
	f.Log.Info("dead letter redriven", "id", id, "reason", reason)
	_, err = f.Ledger.Exhume(ctx, id)
	return answers, err
}
