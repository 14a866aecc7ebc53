package runtime

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
)

// Lambda answers AWS Lambda. The messages of an SQS event are invoked one by
// one, and those that failed are named, so that only they come again (the
// event source needs ReportBatchItemFailures). Anything else is one payload.
func Lambda(f Functions, log *slog.Logger) lambda.Handler {
	return lambdaHandler{f, cmp.Or(log, slog.Default())}
}

// LambdaWeb answers a function URL of Lambda with a web function; wrap it with
// lambdaurl.
func LambdaWeb(web Web, log *slog.Logger) http.Handler {
	log = cmp.Or(log, slog.Default())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := Safely(log, func() error {
			call := lambdaCall(r.Context())
			ctx, cancel := call.within(r.Context())
			defer cancel()
			handler, err := web(ctx, call)
			if err == nil {
				handler.ServeHTTP(w, r.WithContext(ctx))
			}
			return err
		})
		if err != nil {
			log.Error("not answered", "error", err)
			http.Error(w, "the function could not answer; send it again", http.StatusServiceUnavailable)
		}
	})
}

type lambdaHandler struct {
	functions Functions
	log       *slog.Logger
}

// Invoke implements lambda.Handler.
func (h lambdaHandler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	call := lambdaCall(ctx)
	var batch events.SQSEvent
	if err := json.Unmarshal(payload, &batch); err == nil && fromSQS(batch) {
		return json.Marshal(h.each(ctx, call, batch.Records))
	}
	err := Safely(h.log, func() error { return h.functions.invoke(ctx, call, payload) })
	return nil, err
}

func (h lambdaHandler) each(ctx context.Context, call Call, messages []events.SQSMessage) events.SQSEventResponse {
	failed := []events.SQSBatchItemFailure{}
	for _, m := range messages {
		err := context.DeadlineExceeded
		if !call.over() {
			err = Safely(h.log, func() error { return h.functions.invoke(ctx, call, []byte(m.Body)) })
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

// lambdaCall reads what Lambda says of a call: its ARN is
// arn:aws:lambda:REGION:ACCOUNT:function:NAME, perhaps with a qualifier.
func lambdaCall(ctx context.Context) Call {
	var call Call
	if deadline, ok := ctx.Deadline(); ok {
		call.Deadline = early(deadline, time.Now())
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
