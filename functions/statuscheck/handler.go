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
	Seal guard.Seal // of what a check carries
}

// Handle asks for one look, which is due now. What follows, another check or the
// outcome, lies in the ledger's outbox after it.
func (f Function) Handle(_ context.Context, _ events.Event, d events.StatusCheck) ([]havip.Left, error) {
	check := flow.FromCheck(d, f.Seal)
	return []havip.Left{{HAVIP: check.HAVIP, Story: check.Story, Due: &check}}, nil
}
