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

	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/runtime"
	"havip-functions/shared/runtime/fc"
	"havip-functions/shared/runtime/lambda"
)

func main() {
	log := runtime.NewLog(os.Stdout, os.Getenv("HAVIP_INGRESS_TOKEN"), os.Getenv("HAVIP_OPERATOR_TOKEN"), os.Getenv("HAVIP_READER_TOKEN"),
		os.Getenv("HAVIP_WEBHOOK_SECRET"), os.Getenv("HAVIP_SEAL_KEY"), os.Getenv("HAVIP_OUTCOME_SECRET"))
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

func onLambda(ctx context.Context, env runtime.Environment, ingress bool) error {
	followUps, err := byQueue(env.Getenv("HAVIP_SQS_QUEUE_URL"))
	if err != nil {
		return err
	}
	if ingress {
		door, err := env.Door(ctx, followUps)
		if err != nil {
			return err
		}
		lambda.StartWeb(ctx, door, env.Log)
		return nil
	}
	functions, err := env.Functions(ctx, followUps)
	if err != nil {
		return err
	}
	lambda.Start(ctx, functions, env.Log)
	return nil
}

func onFCGo(ctx context.Context, env runtime.Environment, ingress bool) error {
	if ingress {
		return fmt.Errorf("the ingress needs an HTTP trigger, which the go1 runtime has not; deploy it on custom.debian12")
	}
	functions, err := env.Functions(ctx, byInvoking(env))
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	return fc.Go1{API: env.Getenv("FC_RUNTIME_API"), Functions: functions, Log: env.Log}.Run(ctx)
}

func onFCCustom(ctx context.Context, env runtime.Environment, ingress bool) (err error) {
	h := fc.Custom{Log: env.Log}
	if ingress {
		h.Web, err = env.Door(ctx, byInvoking(env))
	} else {
		h.Functions, err = env.Functions(ctx, byInvoking(env))
	}
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	return h.ListenAndServe(ctx, env.Getenv)
}

// byInvoking sends follow-ups by asynchronous invocation, signed with the call's own credentials.
func byInvoking(env runtime.Environment) runtime.Buses {
	return func(c runtime.Call) flow.Bus {
		endpoint := env.Getenv("HAVIP_FC_ENDPOINT")
		if endpoint == "" {
			endpoint = fc.Endpoint(c)
		}
		own := func(context.Context) (havip.Credentials, error) { return c.Credentials, nil }
		return fc.Bus{Endpoint: endpoint, Function: fc.FollowUps(env.Getenv), Credentials: own}
	}
}

// byQueue sends follow-ups by a queue that calls the function again.
func byQueue(url string) (runtime.Buses, error) {
	if url == "" {
		return nil, fmt.Errorf("HAVIP_SQS_QUEUE_URL is not set; follow-ups need the queue of deploy/aws")
	}
	queue, err := lambda.NewSQS(url)
	if err != nil {
		return nil, err
	}
	return func(runtime.Call) flow.Bus { return queue }, nil
}
