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

// Handle clears the instance's mark of failure, opens a story for each of its
// HAVIPs and looks once. What follows lies in the ledger's outbox.
func (f Function) Handle(ctx context.Context, e events.Event, d events.InstanceStarted) ([]havip.Left, error) {
	return f.Keeper.Take(ctx, flow.FromFact(e, havip.AskStarted, events.Fact(d)))
}
