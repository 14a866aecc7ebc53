// Package statuscheck looks at a HAVIP again, until it is InUse on the instance
// that should hold it or the deadline has passed.
package statuscheck

import (
	"context"

	"havip-functions/events"
	"havip-functions/shared/flow"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
)

// Function answers [events.StatusCheck].
type Function struct {
	Keeper havip.Keeper
	Seal   guard.Seal // of what a check carries
}

// Handle looks once. What follows, another check or the outcome, lies in the
// ledger's outbox when it returns; flow publishes it and then acknowledges.
func (f Function) Handle(ctx context.Context, _ events.Event, d events.StatusCheck) ([]havip.Left, error) {
	check, unreadable := flow.FromCheck(d, f.Seal)
	left, err := f.Keeper.Look(ctx, check)
	if err == nil && left.Record.Story == nil { // only what it carries could have told
		err = unreadable
	}
	return []havip.Left{left}, err
}
