// Package functions is what we do: the table of our functions.
package functions

import (
	"havip-functions/functions/healthfailed"
	"havip-functions/functions/instancestarted"
	"havip-functions/functions/recovery"
	"havip-functions/functions/statuscheck"
	"havip-functions/functions/sweep"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
)

// Names are what HAVIP_FUNCTION may say. A name tells what a deployed function
// is meant for; each answers every event of ours, by its type, so that one rule
// may feed them all. The ingress is the web door of the others.
var Names = []string{"instance-started", "health-failed", "status-check", "recover", "sweep", "ingress"}

// New completes a function of ours: whatever event arrives finds its handler.
func New(f flow.Function) flow.Function {
	k := f.Keeper
	f.Handlers = table(k)
	return f
}

func table(k havip.Keeper) []flow.Handler {
	return []flow.Handler{
		flow.On(instancestarted.Function{Keeper: k}.Handle),
		flow.On(healthfailed.Function{Keeper: k}.Handle),
		flow.On(healthfailed.Function{Keeper: k}.HandleRestored),
		flow.On(statuscheck.Function{Keeper: k}.Handle),
		flow.On(recovery.Function{Keeper: k}.Handle),
		flow.On(sweep.Function{Keeper: k}.Handle),
	}
}
