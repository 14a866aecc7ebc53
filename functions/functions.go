// Package functions is what we do: the table of our functions.
package functions

import (
	"cmp"

	"havip-functions/functions/healthfailed"
	"havip-functions/functions/instancestarted"
	"havip-functions/functions/recovery"
	"havip-functions/functions/statuscheck"
	"havip-functions/functions/sweep"
	"havip-functions/shared/flow"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
)

// Names are what HAVIP_FUNCTION may say. A name tells what a deployed function
// is meant for; each answers every event of ours, by its type, so that one rule
// may feed them all. The ingress is the web door of the others.
var Names = []string{"instance-started", "health-failed", "status-check", "recover", "sweep", "ingress"}

// New completes a function of ours: whatever event arrives finds its handler.
// What it shares with others of the same process it has for itself, unless it was
// given.
func New(f flow.Function) flow.Function {
	f.Desk, f.Keeper.Queues = cmp.Or(f.Desk, &flow.Desk{}), cmp.Or(f.Keeper.Queues, &havip.Queues{})
	f.Keeper.Timings = cmp.Or(f.Keeper.Timings, &havip.Timings{})
	f.Handlers = table(f.Keeper, f.Seal)
	return f
}

func table(k havip.Keeper, seal guard.Seal) []flow.Handler {
	return []flow.Handler{
		flow.On(instancestarted.Function{Keeper: k}.Handle),
		flow.On(healthfailed.Function{Keeper: k}.Handle),
		flow.On(healthfailed.Function{Keeper: k}.HandleRestored),
		flow.On(statuscheck.Function{Seal: seal}.Handle),
		flow.On(recovery.Function{Keeper: k}.Handle),
		flow.On(sweep.Function{Keeper: k}.Handle),
	}
}
