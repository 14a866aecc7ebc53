package runtime

import (
	"context"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/shared/flow"
)

// outward sends follow-ups on. Outcomes stay in the function's log, which flow
// has written.
type outward struct{ followUps flow.Bus }

func (o outward) Publish(ctx context.Context, e event.Event, at time.Time) error {
	if e.Type() != events.TypeStatusCheck && e.Type() != events.TypeSweep {
		return nil
	}
	return o.followUps.Publish(ctx, e, at)
}
