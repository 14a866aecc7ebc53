// Package recovery does what a person asks for: it attaches, releases, or moves
// a HAVIP by hand.
package recovery

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"havip-functions/events"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
)

// Function answers [events.Recover].
type Function struct {
	Keeper havip.Keeper
}

// Handle opens a story that ends any other of this HAVIP, and whose first look is due. A
// dry run only says what would be done first.
func (f Function) Handle(ctx context.Context, e events.Event, d events.Recover) ([]havip.Left, error) {
	h := flow.FromRecover(e, d)
	if h.DryRun {
		plans, err := f.Keeper.Plan(ctx, h)
		var cloud *havip.Error
		switch {
		case errors.As(err, &cloud): // a person waits for an answer, and this is one
			h.Plan = "can't tell: " + cloud.Error()
		case err != nil:
			return nil, err
		default:
			h.Plan = describe(plans)
		}
	}
	return f.Keeper.Admit(ctx, h)
}

func describe(plans []havip.Plan) string {
	var lines []string
	for _, p := range plans {
		line := fmt.Sprintf("would %s, instance %q, release %q", p.Step, p.Want.Instance, p.Want.Release)
		if p.Rule != "" {
			line += ": " + p.Rule
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}
