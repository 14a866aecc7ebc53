package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"regexp"
	"time"

	"havip-functions/events"
	"havip-functions/shared/accounts"
	"havip-functions/shared/runtime/fc"
)

// onFC is the form of a target: a region, and a function where it isn't havip-recover.
var onFC = regexp.MustCompile(`^fc:([a-z0-9-]+)(?:/([A-Za-z_][A-Za-z0-9_-]{0,63}))?$`)

// remotely hands the request to the functions on Function Compute: one signed
// asynchronous invocation. The roster tells where the HAVIP is.
func (r recovery) remotely(ctx context.Context, target string) error {
	named := onFC.FindStringSubmatch(target)
	if named == nil {
		return usage("--target %s is none; give fc:REGION or fc:REGION/FUNCTION, like fc:cn-hangzhou", target)
	}
	region, function := named[1], cmp.Or(named[2], "havip-recover")
	if r.wait {
		return usage("--wait can't follow a story on Function Compute; its outcome stands in the functions' log")
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
	bus := fc.Bus{
		Endpoint: cmp.Or(os.Getenv("HAVIP_FC_ENDPOINT"), "https://fcv3."+region+".aliyuncs.com"),
		Function: function, Credentials: accounts.New(os.Getenv).Ambient(),
	}
	if err := bus.Publish(ctx, ce, 0); err != nil {
		return failure{exitNoServer, err}
	}
	if r.asJSON {
		printJSON(map[string]string{"source": ce.Source(), "id": ce.ID(), "target": target})
	}
	fmt.Fprintf(os.Stderr, "%s in %s has taken %s; its outcome will stand in the functions' log, with event %s\n", function, region, p.Name, ce.ID())
	return nil
}
