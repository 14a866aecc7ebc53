package runtime

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/shared/guard"
	"havip-functions/shared/wire"
)

const sinkTimeout = 5 * time.Second

// Sink publishes events to any receiver of CloudEvents over HTTP, in structured mode.
// Its address may hold a token, so no error repeats it.
type Sink struct {
	address string
	secrets [][]byte // each signs, as Standard Webhooks asks; none: nothing is signed
}

// NewSink makes no call; a receiver that is not there shows in the first one.
func NewSink(address string, secrets ...[]byte) (Sink, error) {
	if r, err := http.NewRequest(http.MethodPost, address, nil); err != nil || r.URL.Host == "" {
		return Sink{}, fmt.Errorf("HAVIP_OUTCOME_SINK is no address; give https://host/path")
	}
	return Sink{address, secrets}, nil
}

// Publish returns nil once the receiver has answered with success. There is no
// later: the delay is not looked at. Each try is signed anew, under the event's id.
func (s Sink) Publish(ctx context.Context, e event.Event, _ time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, sinkTimeout)
	defer cancel()
	body, err := events.Encode(e)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("event %s: %w", e.ID(), wire.WithoutURL(err))
	}
	r.Header.Set("Content-Type", event.ApplicationCloudEventsJSON)
	if len(s.secrets) > 0 {
		guard.Sign(r.Header, e.ID(), body, s.secrets...)
	}
	answer, err := wire.WithoutRedirects(nil).Do(r)
	if err != nil {
		return fmt.Errorf("event %s was not sent to the sink of outcomes: %w", e.ID(), wire.WithoutURL(err))
	}
	_ = answer.Body.Close() // nothing in it counts
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("event %s: the sink of outcomes answered %d; check HAVIP_OUTCOME_SINK and HAVIP_OUTCOME_SECRET", e.ID(), answer.StatusCode)
	}
	return nil
}
