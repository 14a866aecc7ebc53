package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/shared/accounts"
	"havip-functions/shared/alibaba"
	"havip-functions/shared/flow"
	"havip-functions/shared/guard"
)

// outward sends follow-ups on, and outcomes to whoever wants them. The
// function's log has them in any case: flow has written it.
type outward struct {
	followUps flow.Bus
	outcomes  map[string]flow.Bus
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
// EventBridge, HAVIP_OUTCOME_SINK a receiver of CloudEvents, signed for by HAVIP_OUTCOME_SECRET. None is
// needed.
func (env Environment) outcomes(keys *accounts.Accounts) (func(Call) map[string]flow.Bus, error) {
	ways := map[string]flow.Bus{}
	secrets, err := guard.SecretsIn(env.Getenv, "HAVIP_OUTCOME_SECRET")
	if err != nil {
		return nil, err
	}
	if address := env.Getenv("HAVIP_OUTCOME_SINK"); address != "" {
		sink, err := NewSink(address, secrets...)
		if err != nil {
			return nil, err
		}
		ways["sink"] = sink
	}
	bus := env.Getenv("HAVIP_OUTCOME_BUS")
	if bus == "" {
		return func(Call) map[string]flow.Bus { return ways }, nil
	}
	return func(c Call) map[string]flow.Bus {
		all := maps.Clone(ways)
		all["bus"] = alibaba.EventBridge{
			Endpoint: strings.ReplaceAll(env.eventBridge(), "{region}", c.Region), Bus: bus, Credentials: keys.Own(c.Credentials),
		}
		return all
	}, nil
}

func (env Environment) eventBridge() string {
	return cmp.Or(env.Getenv("HAVIP_EVENTBRIDGE_ENDPOINT"), "https://eventbridge.{region}.aliyuncs.com")
}

// Outcomes are the ways that outcomes take from a host of one's own, by their names.
// No call tells it a region, so that of a bus has to be in its address.
func (env Environment) Outcomes(keys *accounts.Accounts) (map[string]flow.Bus, error) {
	if env.Getenv("HAVIP_OUTCOME_BUS") != "" && strings.Contains(env.eventBridge(), "{region}") {
		return nil, fmt.Errorf("HAVIP_OUTCOME_BUS: a host of your own has no region; name it in HAVIP_EVENTBRIDGE_ENDPOINT, like https://eventbridge.cn-hangzhou.aliyuncs.com")
	}
	ways, err := env.outcomes(keys)
	if err != nil {
		return nil, err
	}
	return ways(Call{}), nil
}
