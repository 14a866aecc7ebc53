package flow

import (
	"context"
	"fmt"

	"havip-functions/events"
	"havip-functions/shared/havip"
)

// Plan tells what the events in the payload would do first, and changes nothing.
func Plan(ctx context.Context, k havip.Keeper, payload []byte) ([]havip.Plan, error) {
	list, err := events.Read(payload, k.Now())
	if err != nil {
		return nil, err
	}
	return plan(ctx, k, list)
}

// maxPlanned is how many events of a batch are planned: each takes calls to a cloud.
const maxPlanned = 20

func plan(ctx context.Context, k havip.Keeper, list []events.Event) ([]havip.Plan, error) {
	plans := []havip.Plan{}
	for n, e := range list {
		if n == maxPlanned {
			return append(plans, havip.Plan{Step: havip.Wait, Rule: fmt.Sprintf("%d more events are not planned", len(list)-n)}), nil
		}
		h, planned := asked(e)
		if !planned {
			plans = append(plans, havip.Plan{Step: havip.Refuse, Rule: "nothing follows from a " + e.Type})
			continue
		}
		some, err := k.Plan(ctx, h)
		if err != nil {
			return plans, err
		}
		plans = append(plans, some...)
	}
	return plans, nil
}

func asked(e events.Event) (havip.Event, bool) {
	switch d := e.Data.(type) {
	case events.InstanceStarted:
		return FromFact(e, havip.AskStarted, events.Fact(d)), true
	case events.HealthFailed:
		return FromFact(e, havip.AskFailed, events.Fact(d)), true
	case events.HealthRestored:
		return FromFact(e, havip.AskRestored, events.Fact(d)), true
	case events.Recover:
		return FromRecover(e, d), true
	}
	return havip.Event{}, false
}
