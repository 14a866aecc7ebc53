package runtime

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/shared/accounts"
	"havip-functions/shared/alibaba"
	"havip-functions/shared/flow"
)

// outward sends follow-ups on, and outcomes to whoever wants them. The
// function's log has them in any case: flow has written it.
type outward struct {
	followUps flow.Bus
	outcomes  []flow.Bus
}

func (o outward) Publish(ctx context.Context, e event.Event, after time.Duration) error {
	if e.Type() == events.TypeStatusCheck || e.Type() == events.TypeSweep {
		return o.followUps.Publish(ctx, e, after)
	}
	var failed []error
	for _, b := range o.outcomes {
		failed = append(failed, b.Publish(ctx, e, after))
	}
	return errors.Join(failed...)
}

// outcomes opens the ways that outcomes take: HAVIP_OUTCOME_BUS names a bus of
// EventBridge, HAVIP_OUTCOME_SINK a receiver of CloudEvents. Neither is needed.
func (env Environment) outcomes(keys *accounts.Accounts) (func(Call) []flow.Bus, error) {
	var sinks []flow.Bus
	if address := env.Getenv("HAVIP_OUTCOME_SINK"); address != "" {
		sink, err := NewSink(address)
		if err != nil {
			return nil, err
		}
		sinks = append(sinks, sink)
	}
	bus := env.Getenv("HAVIP_OUTCOME_BUS")
	if bus == "" {
		return func(Call) []flow.Bus { return sinks }, nil
	}
	return func(c Call) []flow.Bus {
		endpoint := cmp.Or(env.Getenv("HAVIP_EVENTBRIDGE_ENDPOINT"), "https://eventbridge.{region}.aliyuncs.com")
		return append([]flow.Bus{alibaba.EventBridge{
			Endpoint: strings.ReplaceAll(endpoint, "{region}", c.Region), Bus: bus, Credentials: keys.Own(c.Credentials),
		}}, sinks...)
	}, nil
}
