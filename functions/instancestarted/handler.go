// Package instancestarted attaches an instance that runs, where its HAVIP is
// held by fewer instances than the roster wants.
package instancestarted

import (
	"context"

	"havip-functions/events"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
)

// Function answers [events.InstanceStarted].
type Function struct {
	Keeper havip.Keeper
}

// Handle clears the instance's mark of failure, and opens a story for each of its
// HAVIPs, whose first look is due.
func (f Function) Handle(ctx context.Context, e events.Event, d events.InstanceStarted) ([]havip.Left, error) {
	return f.Keeper.Admit(ctx, flow.FromFact(e, havip.AskStarted, events.Fact(d)))
}
