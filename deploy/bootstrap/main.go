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
	"github.com/aws/aws-lambda-go/lambdaurl"

	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/runtime"
)

func main() {
	log := runtime.NewLog(os.Stdout, os.Getenv("HAVIP_INGRESS_TOKEN"), os.Getenv("HAVIP_OPERATOR_TOKEN"),
		os.Getenv("HAVIP_WEBHOOK_SECRET"), os.Getenv("HAVIP_SEAL_KEY"))
	slog.SetDefault(log)
	if err := run(context.Background(), runtime.Environment{Getenv: os.Getenv, Log: log}); err != nil {
		log.Error("bootstrap ends", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, env runtime.Environment) error {
	name, err := env.Function()
	if err != nil {
		return err
	}
	switch runtime.Detect(env.Getenv) {
	case runtime.OnLambda:
		return onLambda(ctx, env, name == "ingress")
	case runtime.OnFCGo:
		return onFCGo(ctx, env, name == "ingress")
	case runtime.OnFCCustom:
		return onFCCustom(ctx, env, name == "ingress")
	case runtime.Own:
	}
	return fmt.Errorf("neither Function Compute nor Lambda started it; on a host of your own run havip serve")
}

// onLambda catches no signal: Lambda ends its processes itself, and the loop of
// aws-lambda-go would outlive one.
func onLambda(ctx context.Context, env runtime.Environment, ingress bool) error {
	queue, err := sqs(ctx, env.Getenv("HAVIP_SQS_QUEUE_URL"))
	if err != nil {
		return err
	}
	if ingress {
		door, err := env.Door(ctx, queue)
		if err != nil {
			return err
		}
		lambda.StartWithOptions(lambdaurl.Wrap(runtime.LambdaWeb(door, env.Log)), lambda.WithContext(ctx))
		return nil
	}
	functions, err := env.Functions(ctx, queue)
	if err != nil {
		return err
	}
	lambda.StartWithOptions(runtime.Lambda(functions, env.Log), lambda.WithContext(ctx))
	return nil
}

func onFCGo(ctx context.Context, env runtime.Environment, ingress bool) error {
	if ingress {
		return fmt.Errorf("the ingress needs an HTTP trigger, which the go1 runtime has not; deploy it on custom.debian12")
	}
	functions, err := env.Functions(ctx, fc(env))
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	return runtime.GoRuntime{API: env.Getenv("FC_RUNTIME_API"), Functions: functions, Log: env.Log}.Run(ctx)
}

func onFCCustom(ctx context.Context, env runtime.Environment, ingress bool) (err error) {
	h := runtime.FunctionCompute{Log: env.Log}
	if ingress {
		h.Web, err = env.Door(ctx, fc(env))
	} else {
		h.Functions, err = env.Functions(ctx, fc(env))
	}
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	return h.ListenAndServe(ctx, env.Getenv)
}

// fc sends follow-ups by asynchronous invocation, signed with the call's own credentials.
func fc(env runtime.Environment) runtime.Buses {
	return func(c runtime.Call) flow.Bus {
		endpoint := env.Getenv("HAVIP_FC_ENDPOINT")
		if endpoint == "" {
			endpoint = c.FCEndpoint()
		}
		own := func(context.Context) (havip.Credentials, error) { return c.Credentials, nil }
		return runtime.FCInvoke{Endpoint: endpoint, Function: "havip-status-check", Credentials: own}
	}
}

// sqs sends follow-ups by a queue that calls the function again.
func sqs(ctx context.Context, url string) (runtime.Buses, error) {
	if url == "" {
		return nil, fmt.Errorf("HAVIP_SQS_QUEUE_URL is not set; follow-ups need the queue of deploy/aws")
	}
	queue, err := runtime.NewSQS(ctx, url)
	if err != nil {
		return nil, err
	}
	return func(runtime.Call) flow.Bus { return queue }, nil
}
