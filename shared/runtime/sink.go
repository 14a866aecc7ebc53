package runtime

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/client"
	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/protocol"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"havip-functions/shared/wire"
)

const sinkTimeout = 5 * time.Second

// Sink publishes events to any receiver of CloudEvents over HTTP. Its address
// may hold a token, so no error repeats it.
type Sink struct{ client client.Client }

// NewSink makes no call; a receiver that is not there shows in the first one.
func NewSink(address string) (Sink, error) {
	if r, err := http.NewRequest(http.MethodPost, address, nil); err != nil || r.URL.Host == "" {
		return Sink{}, fmt.Errorf("HAVIP_OUTCOME_SINK is no address; give https://host/path")
	}
	p, err := cehttp.New(cehttp.WithTarget(address), cehttp.WithClient(*wire.WithoutRedirects(nil)))
	if err != nil {
		return Sink{}, fmt.Errorf("HAVIP_OUTCOME_SINK can't be used: %w", wire.WithoutURL(err))
	}
	c, err := client.New(p)
	return Sink{c}, err
}

// Publish returns nil once the receiver has answered with success. There is no
// later: the delay is not looked at.
func (s Sink) Publish(ctx context.Context, e event.Event, _ time.Duration) error {
	ctx, cancel := context.WithTimeout(binding.WithForceStructured(ctx), sinkTimeout)
	defer cancel()
	result := s.client.Send(ctx, e)
	if protocol.IsACK(result) {
		return nil
	}
	var status *cehttp.Result
	if protocol.ResultAs(result, &status) {
		return fmt.Errorf("event %s: the sink of outcomes answered %d; check HAVIP_OUTCOME_SINK", e.ID(), status.StatusCode)
	}
	return fmt.Errorf("event %s was not sent to the sink of outcomes: %w", e.ID(), wire.WithoutURL(result))
}
