package lambda_test

import (
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/runtime"
	"havip-functions/shared/runtime/lambda"
	"havip-functions/shared/runtime/runtimetest"
	"havip-functions/shared/simulator"
)

// queue is an SQS in virtual time, with its event source: it takes what the SDK sends,
// and hands each message over in a call of a minute. Longer than 15 minutes it keeps
// none.
type queue struct {
	*functionstest.Stage
	sender   lambda.SQS
	messages []message
	sent     int
	longest  time.Duration
}

type message struct {
	due  time.Time
	body string
}

func openQueue(s *functionstest.Stage) *queue {
	q := &queue{Stage: s}
	q.sender = lambda.SQS{QueueURL: "http://sqs/123456789012/havip-follow-ups", Client: sqs.New(sqs.Options{
		HTTPClient: q, Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("testak", "testsk", ""),
	})}
	s.Function = s.Host(func(f *flow.Function) { f.Bus = q })
	return q
}

// Publish sends follow-ups by the queue. Outcomes are the stage's.
func (q *queue) Publish(ctx context.Context, e event.Event, after time.Duration) error {
	if e.Type() != events.TypeStatusCheck {
		return q.Stage.Publish(ctx, e, after)
	}
	return q.sender.Publish(ctx, e, after)
}

// Do takes one SendMessage of the SDK.
func (q *queue) Do(r *http.Request) (*http.Response, error) {
	var m sqsMessage
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || m.DelaySeconds > 900 {
		q.Errorf("SQS refuses a delay of %d s, %v", m.DelaySeconds, err)
	}
	delay := time.Duration(m.DelaySeconds) * time.Second
	q.messages = append(q.messages, message{time.Now().Add(delay), m.MessageBody})
	q.sent, q.longest = q.sent+1, max(q.longest, delay)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(fmt.Sprintf(`{"MessageId":"m%d","MD5OfMessageBody":"%x"}`, q.sent, md5.Sum([]byte(m.MessageBody))))),
	}, nil
}

// run is the event source, until the queue is empty.
func (q *queue) run() {
	q.Helper()
	h := lambda.Handler(func(context.Context, runtime.Call) (runtime.Invoker, error) { return q.Function, nil }, runtimetest.Quiet())
	for len(q.messages) > 0 {
		slices.SortStableFunc(q.messages, func(a, b message) int { return a.due.Compare(b.due) })
		m := q.messages[0]
		q.messages = q.messages[1:]
		q.Wait(time.Until(m.due))
		payload, _ := json.Marshal(map[string]any{"Records": []map[string]string{{"messageId": "m", "eventSource": "aws:sqs", "body": m.body}}})
		ctx, cancel := context.WithTimeout(q.Context(), time.Minute)
		if said, err := h.Invoke(ctx, payload); err != nil || string(said) != `{"batchItemFailures":[]}` {
			q.Fatalf("a call said %s, %v", said, err)
		}
		cancel()
	}
}

// An attach that never ends is looked at for twenty minutes, in more than 40 hops, and
// has one outcome.
func TestManyHops(t *testing.T) {
	functionstest.Play(t, functionstest.Scene{Policy: "members: [i-db1, i-db2], hold: 1, deadline: 20m", Holders: []string{"i-db1"}}, func(s *functionstest.Stage) {
		q := openQueue(s)
		s.Fault(simulator.Fault{Operation: "AssociateHaVip", Stuck: true})
		s.Instance("i-db1", havip.Stopped)
		began := time.Now()
		s.Post(s.Failed("i-db1"))
		q.run()
		if took := time.Since(began); took < 20*time.Minute || took > 20*time.Minute+time.Second || q.sent < 40 {
			t.Errorf("it took %s, want 20m and 40 hops at least", took)
		}
		t.Logf("%d hops", q.sent)
		s.Want("+i-db2", "timedout", "i-db1")
	})
}

// What is due in twenty minutes comes after fifteen, is sent on, and is done in time:
// a story that waits for the cool-down of another.
func TestLongDelay(t *testing.T) {
	const policy = "members: [i-db1, i-db2, i-db3, i-db4], hold: 2, coolDown: 20m, deadline: 40m"
	functionstest.Play(t, functionstest.Scene{Policy: policy, Holders: []string{"i-db1", "i-db2"}}, func(s *functionstest.Stage) {
		q := openQueue(s)
		began := time.Now()
		for _, id := range []string{"i-db1", "i-db2"} {
			s.Instance(id, havip.Stopped)
			s.Post(s.Failed(id))
			if id == "i-db1" {
				q.run()
			}
		}
		q.run()
		if took := time.Since(began); took < 20*time.Minute || took > 21*time.Minute || q.longest != 15*time.Minute {
			t.Errorf("it took %s, with a delay of %s; want 20m, and 15m", took, q.longest)
		}
		s.Want("-i-db1 +i-db3 -i-db2 +i-db4", "attached i-db3, attached i-db4", "i-db3* i-db4")
	})
}
