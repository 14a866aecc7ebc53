package flow

import (
	"context"
	"fmt"

	"havip-functions/events"
	"havip-functions/shared/guard"
)

// Redrive tries a dead letter again, because a person says so, and removes it
// once all of its events are durable. One that still can't be read stays, and
// the error is events.ErrInvalid.
func (f Function) Redrive(ctx context.Context, id, reason string) ([]Accepted, error) {
	d, err := f.Ledger.DeadLetter(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("dead letter %.40q: %w; GET /api/deadletters lists them", id, err)
	}
	list, err := events.Read(d.Bytes, f.Keeper.Now())
	if err == nil {
		err = allowed(guard.Operator, list)
	}
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
