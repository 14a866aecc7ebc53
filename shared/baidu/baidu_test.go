package baidu_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/baidu"
	"havip-functions/shared/havip"
	"havip-functions/shared/havip/cloudtest"
	"havip-functions/shared/simulator"
)

var (
	testKeys = havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "testsk"}
	orders   = havip.Call{HAVIP: "havip-w2d4", Instance: "i-syG1", InstanceType: "SERVER", Token: "t1"}
)

func TestCloud(t *testing.T) {
	cloudtest.Test(t, cloudtest.Baidu(func(endpoint string, rt http.RoundTripper, a cloudtest.Access) cloudtest.Cloud {
		return baidu.New(baidu.Config{
			Region: "bj", Endpoint: endpoint, Transport: rt, Timeout: a.Timeout, Credentials: static(a.Keys),
		})
	}))
}

func static(keys havip.Credentials) func(context.Context) (havip.Credentials, error) {
	return func(context.Context) (havip.Credentials, error) { return keys, nil }
}

// TestBubble runs the SDK on virtual time, without a socket.
func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := simulator.New(simulator.Options{AssociateTime: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		cloud := baidu.New(baidu.Config{Region: "bj", Transport: sim.Transport(), Credentials: static(testKeys)})
		if _, err := cloud.Attach(t.Context(), orders); err != nil {
			t.Fatal(err)
		}
		for _, want := range []havip.Status{havip.Available, havip.InUse} {
			if have, err := cloud.Get(t.Context(), orders.HAVIP); err != nil || have.Status != want {
				t.Errorf("got %+v, %v, want it %s", have, err, want)
			}
			time.Sleep(2 * time.Second) //nolint:forbidigo // in a bubble
		}
	})
}

func Example() {
	sim, err := simulator.New(simulator.Options{AssociateTime: -1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sim.Close()
	cloud := baidu.New(baidu.Config{
		Region:      "bj",
		Transport:   sim.Transport(), // leave it out to reach the real cloud
		Credentials: static(testKeys),
	})
	if _, err := cloud.Attach(context.Background(), orders); err != nil {
		fmt.Println(err)
		return
	}
	have, err := cloud.Get(context.Background(), orders.HAVIP)
	fmt.Println(have.Status, have.Holders, have.Serving, err)
	// Output: InUse [i-syG1] i-syG1 <nil>
}
