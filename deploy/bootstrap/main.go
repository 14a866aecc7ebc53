// Command bootstrap is the one small binary that every cloud function ships as:
// on Function Compute's custom and go1 runtimes, and on AWS Lambda.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/aws/aws-lambda-go/lambda"

	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/runtime"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, log); err != nil {
		log.Error("bootstrap ends", "error", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func run(ctx context.Context, log *slog.Logger) error {
	env := runtime.Environment{Getenv: os.Getenv, Log: log}
	switch kind := runtime.Detect(os.Getenv); kind {
	case runtime.OnLambda:
		f, err := env.Functions(ctx, sqs(ctx))
		if err != nil {
			return err
		}
		lambda.StartWithOptions(runtime.Lambda(f, log), lambda.WithContext(ctx))
		return nil
	case runtime.OnFCGo:
		f, err := env.Functions(ctx, fc)
		if err != nil {
			return err
		}
		return runtime.GoRuntime{API: os.Getenv("FC_RUNTIME_API"), Functions: f, Log: log}.Run(ctx)
	case runtime.OnFCCustom:
		f, err := env.Functions(ctx, fc)
		if err != nil {
			return err
		}
		return runtime.FunctionCompute{Functions: f, Log: log}.ListenAndServe(ctx, os.Getenv)
	case runtime.Own:
	}
	return fmt.Errorf("neither Function Compute nor Lambda started it; on a host of your own run havip serve")
}

// fc sends follow-ups by asynchronous invocation, signed with the call's own credentials.
func fc(c runtime.Call) (flow.Bus, error) {
	endpoint := os.Getenv("HAVIP_FC_ENDPOINT")
	if endpoint == "" {
		endpoint = c.FCEndpoint()
	}
	own := func(context.Context) (havip.Credentials, error) { return c.Credentials, nil }
	return runtime.FCInvoke{Endpoint: endpoint, Function: "havip-status-check", Credentials: own}, nil
}

// sqs sends follow-ups by a queue that calls the function again.
func sqs(ctx context.Context) func(runtime.Call) (flow.Bus, error) {
	return func(runtime.Call) (flow.Bus, error) {
		url := os.Getenv("HAVIP_SQS_QUEUE_URL")
		if url == "" {
			return nil, fmt.Errorf("HAVIP_SQS_QUEUE_URL is not set; follow-ups need the queue of deploy/aws")
		}
		return runtime.NewSQS(ctx, url)
	}
}
