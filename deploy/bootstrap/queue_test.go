package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"havip-functions/shared/runtime/runtimetest"
)

// ways are what a queue of SQS and Lambda's event source may do to us.
type ways struct {
	batch      int32         // messages in a call at the most
	visibility time.Duration // until a message that was not deleted comes again
	late       time.Duration // between the queue and the call
	twice      bool          // each message comes again, whatever its call said
}

// queue is that of the follow-ups, and what was seen of it.
type queue struct {
	ways
	t                 *testing.T
	server, url, lost string
	owner             *sqs.Client
	seen              *seen
}

type seen struct {
	mu    sync.Mutex
	times map[string]int // that a message came, by its id
}

const queues = "/123456789012/"

// openQueue makes the follow-ups' queue, with one for what failed twice.
func openQueue(t *testing.T, w ways) queue {
	t.Helper()
	server, owner := runtimetest.Queues(t)
	q := queue{ways: w, t: t, server: server, url: server + queues + "havip-follow-ups", lost: server + queues + "havip-dead-letters", owner: owner, seen: &seen{times: map[string]int{}}}
	for _, in := range []*sqs.CreateQueueInput{
		{QueueName: aws.String("havip-dead-letters"), Attributes: map[string]string{"VisibilityTimeout": "3600"}},
		{QueueName: aws.String("havip-follow-ups"), Attributes: map[string]string{
			"VisibilityTimeout": fmt.Sprint(w.visibility.Seconds()),
			"RedrivePolicy":     `{"maxReceiveCount":"2","deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:havip-dead-letters"}`,
		}},
	} {
		if _, err := owner.CreateQueue(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	return q
}

func (q queue) send(body string) (id string) {
	q.t.Helper()
	sent, err := q.owner.SendMessage(q.t.Context(), &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &body})
	if err != nil {
		q.t.Fatal(err)
	}
	return *sent.MessageId
}

// poll begins to hand over what comes, and deletes it unless its call told it to have
// failed, as Lambda's event source does.
func (l *awsLambda) poll() {
	q := l.queue
	l.work.Go(func() {
		for l.ctx.Err() == nil {
			got, err := q.owner.ReceiveMessage(l.ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.url, MaxNumberOfMessages: q.batch, WaitTimeSeconds: 1})
			if err != nil && l.ctx.Err() == nil {
				l.t.Errorf("receive: %v", err)
			}
			if err != nil || len(got.Messages) == 0 {
				continue
			}
			q.punctual(got.Messages)
			select {
			case <-time.After(q.late):
			case <-l.ctx.Done():
				return
			}
			again := q.seen.add(got.Messages)
			failed := l.handOver(got.Messages)
			for _, m := range got.Messages {
				if !slices.Contains(failed, *m.MessageId) && (again[*m.MessageId] || !q.twice) {
					_, _ = q.owner.DeleteMessage(l.ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle}) // else it comes again
				}
			}
		}
	})
}

// punctual checks that no follow-up came before its time: its delay was kept.
func (q queue) punctual(messages []types.Message) {
	for _, m := range messages {
		var check struct{ Data struct{ NotBefore time.Time } }
		_ = json.Unmarshal([]byte(*m.Body), &check) // what is none has no time
		if early := time.Until(check.Data.NotBefore); early > 0 {
			q.t.Errorf("a follow-up comes %s early", early)
		}
	}
}

// handOver makes one call of the messages, and returns the ids of those that failed.
func (l *awsLambda) handOver(messages []types.Message) (failed []string) {
	var records []map[string]string
	for _, m := range messages {
		records = append(records, map[string]string{
			"messageId": *m.MessageId, "receiptHandle": *m.ReceiptHandle, "body": *m.Body, "eventSource": "aws:sqs",
		})
	}
	payload, _ := json.Marshal(map[string]any{"Records": records})
	var said events.SQSEventResponse
	answer, ok := strings.CutPrefix(l.call(payload), "response ")
	if !ok || json.Unmarshal([]byte(answer), &said) != nil { // all of it failed
		for _, m := range messages {
			failed = append(failed, *m.MessageId)
		}
	}
	for _, f := range said.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

// idle waits until the queue is empty: nothing is delayed or under way.
func (l *awsLambda) idle() {
	l.t.Helper()
	eventually(l.t, "the queue is empty", func() bool { return l.queue.holds() == "0" })
}

// holds is how many messages wait, are delayed, or under way.
func (q queue) holds() string {
	q.t.Helper()
	got, err := q.owner.GetQueueAttributes(q.t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		q.t.Fatal(err)
	}
	return got.Attributes["ApproximateNumberOfMessages"] // goaws counts all of them so
}

// dead are the messages that were given up since it was asked before.
func (q queue) dead() (bodies []string) {
	got, err := q.owner.ReceiveMessage(q.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.lost, MaxNumberOfMessages: 10})
	if err != nil {
		q.t.Fatal(err)
	}
	for _, m := range got.Messages {
		bodies = append(bodies, *m.Body)
	}
	return bodies
}

// add notes the messages, and returns those that had come before.
func (s *seen) add(messages []types.Message) (again map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	again = map[string]bool{}
	for _, m := range messages {
		again[*m.MessageId] = s.times[*m.MessageId] > 0
		s.times[*m.MessageId]++
	}
	return again
}

// messages is how many there were, and how often they came.
func (s *seen) messages() (many, came int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, times := range s.times {
		came += times
	}
	return len(s.times), came
}
