// Package healthfailed moves HAVIPs away from an instance that failed, and
// trusts it again when it is restored.
package healthfailed

import (
	"context"

	"havip-functions/events"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
)

// Function answers [events.HealthFailed] and [events.HealthRestored].
type Function struct {
	Keeper havip.Keeper
}

// Handle marks the instance as failed, and opens a story for each of its HAVIPs, whose
// first look is due.
func (f Function) Handle(ctx context.Context, e events.Event, d events.HealthFailed) ([]havip.Left, error) {
	return f.Keeper.Admit(ctx, flow.FromFact(e, havip.AskFailed, events.Fact(d)))
}

// HandleRestored clears the mark. It takes nothing back: there is no automatic
// fail-back.
func (f Function) HandleRestored(ctx context.Context, e events.Event, d events.HealthRestored) ([]havip.Left, error) {
	return f.Keeper.Admit(ctx, flow.FromFact(e, havip.AskRestored, events.Fact(d)))
}
