// Package statuscheck looks at a HAVIP again, until it is InUse on the instance
// that should hold it or the deadline has passed.
package statuscheck

import (
	"context"

	"havip-functions/events"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
)

// Function answers [events.StatusCheck].
type Function struct {
	Keeper havip.Keeper
}

// Handle looks once. What follows, another check or the outcome, lies in the
// ledger's outbox when it returns; flow publishes it and then acknowledges.
func (f Function) Handle(ctx context.Context, _ events.Event, d events.StatusCheck) ([]havip.Admission, error) {
	check, err := flow.FromCheck(d)
	if err != nil {
		return nil, err
	}
	looked := []havip.Admission{{HAVIP: check.HAVIP, Ledger: check.HAVIP.String(), Story: check.Story}}
	return looked, f.Keeper.Look(ctx, check)
}
