package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/shared/accounts"
	"havip-functions/shared/flow"
	"havip-functions/shared/runtime/fc"
)

// targets is the form of one: a host of functions, a region, and a function where it
// isn't havip-recover.
var targets = regexp.MustCompile(`^(fc|lambda):([a-z0-9-]+)(?:/([A-Za-z_][A-Za-z0-9_-]{0,63}))?$`)

// remotely hands the request to the functions on Function Compute or Lambda: one signed
// asynchronous invocation. The roster tells where the HAVIP is.
func (r recovery) remotely(ctx context.Context, target string) error {
	named := targets.FindStringSubmatch(target)
	if named == nil {
		return usage("--target %s is none; give fc:REGION or lambda:REGION, like fc:cn-hangzhou, with /FUNCTION where it isn't havip-recover", target)
	}
	region, function := named[2], cmp.Or(named[3], "havip-recover")
	if r.wait {
		return usage("--wait can't follow a story among functions; its outcome stands in their log")
	}
	d, err := openDirect(r.roster, os.Stderr)
	if err != nil {
		return err
	}
	p, err := d.find(r.ask.HAVIP)
	if err != nil {
		return err
	}
	r.ask.Cloud, r.ask.Region, r.ask.HAVIP = p.Cloud, p.Region, p.ID
	ce, err := events.New("", time.Now().UTC(), r.ask).CloudEvent()
	if err != nil {
		return err
	}
	bus, err := invoking(ctx, named[1], region, function)
	if err == nil {
		err = bus.Publish(ctx, ce, 0)
	}
	if err != nil {
		return failure{exitNoServer, err}
	}
	if r.asJSON {
		printJSON(map[string]string{"source": ce.Source(), "id": ce.ID(), "target": target})
	}
	fmt.Fprintf(os.Stderr, "%s in %s has taken %s; its outcome will stand in the functions' log, with event %s\n", function, region, p.Name, ce.ID())
	return nil
}

// invoking is the way to a function, with the ambient credentials of its host.
func invoking(ctx context.Context, host, region, function string) (flow.Bus, error) {
	if host == "lambda" {
		c, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
		if err != nil {
			return nil, fmt.Errorf("the AWS configuration can't be read: %w", err)
		}
		return onLambda{lambda.NewFromConfig(c), function}, nil
	}
	return fc.Bus{
		Endpoint: cmp.Or(os.Getenv("HAVIP_FC_ENDPOINT"), "https://fcv3."+region+".aliyuncs.com"),
		Function: function, Credentials: accounts.New(os.Getenv).Ambient(),
	}, nil
}

// onLambda is a function of Lambda.
type onLambda struct {
	client   *lambda.Client
	function string
}

// Publish implements flow.Bus, at once: Lambda keeps the event, and tries again where
// the function fails.
func (l onLambda) Publish(ctx context.Context, e event.Event, _ time.Duration) error {
	body, err := events.Encode(e)
	if err != nil {
		return err
	}
	_, err = l.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &l.function, InvocationType: types.InvocationTypeEvent, Payload: body})
	if err != nil {
		return fmt.Errorf("%s on Lambda was not reached: %w", l.function, err)
	}
	return nil
}
