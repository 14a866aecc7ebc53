package alibaba_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/alibaba"
	"havip-functions/shared/havip"
	"havip-functions/shared/havip/cloudtest"
	"havip-functions/shared/simulator"
)

var (
	testKeys = havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "testsk"}
	orders   = havip.Call{HAVIP: "havip-bp1orders", Instance: "i-db1", InstanceType: "EcsInstance", Token: "t1"}
)

func TestCloud(t *testing.T) {
	cloudtest.Test(t, cloudtest.Alibaba(func(endpoint string, rt http.RoundTripper, a cloudtest.Access) cloudtest.Cloud {
		return alibaba.New(alibaba.Config{
			Region: "cn-hangzhou", Endpoint: endpoint, Transport: rt, Timeout: a.Timeout, Credentials: static(a.Keys),
		})
	}))
}

func static(keys havip.Credentials) func(context.Context) (havip.Credentials, error) {
	return func(context.Context) (havip.Credentials, error) { return keys, nil }
}

// TestRole calls with the credentials of a role.
func TestRole(t *testing.T) {
	endpoint := simulate(t)
	config := alibaba.Config{Region: "cn-hangzhou", Endpoint: endpoint, Credentials: static(testKeys)}
	config.Credentials = alibaba.AssumeRole(config, arn, "story")
	if _, err := alibaba.New(config).Attach(t.Context(), orders); err != nil {
		t.Error(err)
	}
	got, err := config.Credentials(t.Context())
	if err != nil || got.SecurityToken == "" {
		t.Fatalf("got %v, %v", got, err)
	}
	got.SecurityToken = "another+token/="
	config.Credentials = static(got)
	_, err = alibaba.New(config).Get(t.Context(), orders.HAVIP)
	if !errors.Is(err, havip.ErrRefused) || strings.Contains(err.Error(), "another") {
		t.Errorf("another's token: %v", err)
	}
}

// TestInterface lets an interface hold the HAVIP.
func TestInterface(t *testing.T) {
	cloud := alibaba.New(alibaba.Config{Region: "cn-hangzhou", Endpoint: simulate(t), Credentials: static(testKeys)})
	call := orders
	call.Instance, call.InstanceType, call.Token = "eni-1", "NetworkInterface", "t2"
	if _, err := cloud.Attach(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	have, err := cloud.Get(t.Context(), call.HAVIP)
	if err != nil || !have.On("eni-1") || have.Type != "NetworkInterface" {
		t.Errorf("got %+v, %v", have, err)
	}
	_, err = cloud.Attach(t.Context(), orders)
	if e := new(havip.Error); !errors.As(err, &e) || !e.Instance || !errors.Is(err, havip.ErrRefused) {
		t.Errorf("its own instance beside it: %v", err)
	}
	states, err := cloud.States(t.Context(), []string{"eni-1", "eni-nosuch"})
	if err != nil || states["eni-1"] != havip.Running || states["eni-nosuch"] != havip.Deleted {
		t.Errorf("got %v, %v", states, err)
	}
}

func simulate(t *testing.T) string {
	t.Helper()
	sim, err := simulator.New(simulator.Options{AssociateTime: -1})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim.Alibaba())
	t.Cleanup(func() { server.Close(); sim.Close() })
	return server.URL
}

// TestBubble runs the SDK on virtual time, without a socket.
func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := simulator.New(simulator.Options{AssociateTime: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		cloud := alibaba.New(alibaba.Config{Region: "cn-hangzhou", Transport: sim.Transport(), Credentials: static(testKeys)})
		if _, err := cloud.Attach(t.Context(), orders); err != nil {
			t.Fatal(err)
		}
		for _, want := range []havip.Status{havip.Associating, havip.InUse} {
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
	cloud := alibaba.New(alibaba.Config{
		Region:      "cn-hangzhou",
		Transport:   sim.Transport(), // leave it out to reach the real cloud
		Credentials: static(testKeys),
	})
	if _, err := cloud.Attach(context.Background(), orders); err != nil {
		fmt.Println(err)
		return
	}
	have, err := cloud.Get(context.Background(), orders.HAVIP)
	fmt.Println(have.Status, have.Holders, have.Serving, err)
	// Output: InUse [i-db1] i-db1 <nil>
}
