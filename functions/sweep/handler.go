// Package sweep looks after what events did not: lost follow-ups, and HAVIPs
// that fewer instances hold than the roster wants.
package sweep

import (
	"context"

	"havip-functions/events"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
)

// Function answers [events.Sweep].
type Function struct {
	Keeper havip.Keeper
}

// Handle compares each HAVIP of the roster with what should be. Of what it opens the
// first looks are due.
func (f Function) Handle(ctx context.Context, e events.Event, d events.Sweep) ([]havip.Left, error) {
	return f.Keeper.Sweep(ctx, flow.FromSweep(e, d))
}
