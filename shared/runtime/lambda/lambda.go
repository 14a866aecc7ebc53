// Package lambda runs the functions on AWS Lambda, and sends follow-ups by a queue
// of SQS that calls them again.
package lambda

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-lambda-go/lambdaurl"

	"havip-functions/shared/runtime"
)

// Start answers AWS Lambda and does not return. It catches no signal: Lambda ends its
// processes itself, and the loop of aws-lambda-go would outlive one.
func Start(ctx context.Context, f runtime.Functions, log *slog.Logger) {
	lambda.StartWithOptions(Handler(f, log), lambda.WithContext(ctx))
}

// StartWeb is Start for a function with a function URL.
func StartWeb(ctx context.Context, web runtime.Web, log *slog.Logger) {
	lambda.StartWithOptions(lambdaurl.Wrap(webHandler(web, log)), lambda.WithContext(ctx))
}

// Handler answers each call. The messages of an SQS event are invoked one by
// one, and those that failed are named, so that only they come again (the
// event source needs ReportBatchItemFailures). Anything else is one payload.
func Handler(f runtime.Functions, log *slog.Logger) lambda.Handler {
	return handler{f, cmp.Or(log, slog.Default())}
}

// webHandler answers a function URL with a web function.
func webHandler(web runtime.Web, log *slog.Logger) http.Handler {
	log = cmp.Or(log, slog.Default())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := runtime.Safely(log, func() error {
			call := callOf(r.Context())
			ctx, cancel := call.Within(r.Context())
			defer cancel()
			door, err := web(ctx, call)
			if err == nil {
				door.ServeHTTP(w, r.WithContext(ctx))
			}
			return err
		})
		if err != nil {
			log.Error("not answered", "error", err)
			http.Error(w, "the function could not answer; send it again", http.StatusServiceUnavailable)
		}
	})
}

type handler struct {
	functions runtime.Functions
	log       *slog.Logger
}

// Invoke implements lambda.Handler.
func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	call := callOf(ctx)
	var batch events.SQSEvent
	if err := json.Unmarshal(payload, &batch); err == nil && fromSQS(batch) {
		return json.Marshal(h.each(ctx, call, batch.Records))
	}
	err := runtime.Safely(h.log, func() error { return h.functions.Invoke(ctx, call, payload) })
	return nil, err
}

func (h handler) each(ctx context.Context, call runtime.Call, messages []events.SQSMessage) events.SQSEventResponse {
	failed := []events.SQSBatchItemFailure{}
	for _, m := range messages {
		err := context.DeadlineExceeded
		if !call.Over() {
			err = runtime.Safely(h.log, func() error { return h.functions.Invoke(ctx, call, []byte(m.Body)) })
		}
		if err != nil {
			h.log.Error("message comes again", "message", m.MessageId, "error", err)
			failed = append(failed, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	return events.SQSEventResponse{BatchItemFailures: failed}
}

func fromSQS(batch events.SQSEvent) bool {
	return len(batch.Records) > 0 && batch.Records[0].EventSource == "aws:sqs"
}

// callOf reads what Lambda says of a call: its ARN is
// arn:aws:lambda:REGION:ACCOUNT:function:NAME, perhaps with a qualifier.
func callOf(ctx context.Context) runtime.Call {
	var call runtime.Call
	if deadline, ok := ctx.Deadline(); ok {
		call.Deadline = runtime.AnswerBy(deadline, time.Now())
	}
	lc, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return call
	}
	call.RequestID = lc.AwsRequestID
	if arn := strings.Split(lc.InvokedFunctionArn, ":"); len(arn) >= 7 {
		call.Region, call.AccountID, call.Function = arn[3], arn[4], arn[6]
	}
	return call
}
