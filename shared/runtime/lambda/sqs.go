package lambda

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/shared/flow"
	"havip-functions/shared/wire"
)

// What SQS takes: DelaySeconds, and a message with its attributes.
const (
	sqsMaxDelay = 15 * time.Minute
	sqsMaxSize  = 256 << 10
)

// SQS publishes events to a standard queue. The longest delay is 15 minutes:
// an event that is due later comes early.
type SQS struct {
	Client   *sqs.Client
	QueueURL string
}

// NewSQS connects a queue with the credentials, region and endpoint of the environment.
func NewSQS(queueURL string) (SQS, error) {
	c, err := wire.AWS("SQS", "")
	if err != nil {
		return SQS{}, err
	}
	return SQS{Client: sqs.NewFromConfig(c), QueueURL: queueURL}, nil
}

// Publish returns nil once the queue holds the event, to be delivered after so
// long, or now.
func (q SQS) Publish(ctx context.Context, e event.Event, after time.Duration) error {
	body, err := events.Encode(e)
	if err != nil {
		return fmt.Errorf("event %s can't be sent to %s: %w", e.ID(), q.QueueURL, err)
	}
	if len(body) > sqsMaxSize {
		return fmt.Errorf("event %s: %w: it has %d bytes, and a message of SQS %d at most", e.ID(), flow.ErrUnsendable, len(body), sqsMaxSize)
	}
	_, err = q.Client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl:     &q.QueueURL,
		MessageBody:  aws.String(string(body)),
		DelaySeconds: int32(wire.Seconds(after, sqsMaxDelay)),
	})
	if err != nil {
		return fmt.Errorf("event %s was not sent to %s: %w", e.ID(), q.QueueURL, err)
	}
	return nil
}
