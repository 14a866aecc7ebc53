package alibaba_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/alibaba"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

const arn = "acs:ram::1234567890123456:role/havip"

// assume counts the roles it gives, each for so long.
func assume(t *testing.T, lasting time.Duration, answer func(n int64) (int, string)) (func(context.Context) (havip.Credentials, error), *atomic.Int64) {
	t.Helper()
	n := new(atomic.Int64)
	endpoint := listen(t, func(q request) (int, string) {
		if q.Get("Action") != "AssumeRole" || q.Get("RoleArn") != arn || q.Get("RoleSessionName") != "story" {
			t.Errorf("asked %v", q.Values)
		}
		i := n.Add(1)
		if answer != nil {
			if status, body := answer(i); status != 0 {
				return status, body
			}
		}
		expires := time.Now().Add(lasting).UTC().Format(time.RFC3339)
		return http.StatusOK, fmt.Sprintf(`{"RequestId":"r1","Credentials":{"AccessKeyId":"STS.%d","AccessKeySecret":"s%d","SecurityToken":"t%d","Expiration":%q}}`, i, i, i, expires)
	})
	return alibaba.AssumeRole(alibaba.Config{Region: "cn-hangzhou", Endpoint: endpoint, Credentials: static(keys)}, arn, "story"), n
}

func TestAssumeRoleOnce(t *testing.T) {
	role, calls := assume(t, time.Hour, nil)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			got, err := role(t.Context())
			if want := (havip.Credentials{AccessKeyID: "STS.1", AccessKeySecret: "s1", SecurityToken: "t1"}); err != nil || got != want {
				t.Errorf("got %#v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if calls.Load() != 1 {
		t.Errorf("the role was assumed %d times, want once", calls.Load())
	}
}

func TestAssumeRoleAgain(t *testing.T) {
	role, calls := assume(t, time.Minute, nil) // about to expire
	for want := int64(1); want <= 2; want++ {
		if _, err := role(t.Context()); err != nil || calls.Load() != want {
			t.Errorf("after %d calls: %v", calls.Load(), err)
		}
	}
}

// TestAssumeRoleFails keeps credentials that still serve, and no longer.
func TestAssumeRoleFails(t *testing.T) {
	down := func(n int64) (int, string) {
		if n == 1 {
			return 0, ""
		}
		return http.StatusServiceUnavailable, `{"RequestId":"r1","Code":"ServiceUnavailable"}`
	}
	for lasting, want := range map[time.Duration]error{time.Minute: nil, -time.Minute: havip.ErrBusy} {
		role, _ := assume(t, lasting, down)
		if _, err := role(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := role(t.Context()); !errors.Is(err, want) {
			t.Errorf("with credentials for %v: got %v, want %v", lasting, err, want)
		}
	}
}

func TestAssumeRoleRefused(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		want       error
	}{
		{"no such role", `{"RequestId":"r1","Code":"EntityNotExist.Role"}`, 404, havip.ErrRefused},
		{"not trusted", `{"RequestId":"r1","Code":"NoPermission"}`, 403, havip.ErrRefused},
		{"no credentials", `{"RequestId":"r1"}`, 200, havip.ErrBusy},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			role, _ := assume(t, time.Hour, func(int64) (int, string) { return tt.status, tt.body })
			cloud := alibaba.New(alibaba.Config{Region: "cn-hangzhou", Endpoint: "http://127.0.0.1:1", Credentials: role})
			_, err := cloud.Attach(t.Context(), call)
			var e *havip.Error
			if !errors.As(err, &e) || !errors.Is(err, tt.want) || e.Op != "AssumeRole" || e.Lost {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestAssumeRoleWaits has one caller stuck in the call, and another that gives up
// in its own time.
func TestAssumeRoleWaits(t *testing.T) {
	release, arrived := make(chan struct{}), make(chan struct{})
	role, calls := assume(t, time.Hour, func(int64) (int, string) {
		close(arrived)
		<-release
		return 0, ""
	})
	first := make(chan error)
	go func() {
		_, err := role(context.Background())
		first <- err
	}()
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := role(ctx); !errors.Is(err, havip.ErrBusy) || !strings.Contains(err.Error(), "AssumeRole") {
		t.Errorf("the second caller: %v", err)
	}
	close(release)
	if err := <-first; err != nil || calls.Load() != 1 {
		t.Errorf("the first caller: %v after %d calls", err, calls.Load())
	}
}

// TestRoleIsRefreshed has 64 callers go on for a day with credentials that serve
// for an hour, on virtual time.
func TestRoleIsRefreshed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := simulator.New(simulator.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		config := alibaba.Config{Region: "cn-hangzhou", Transport: sim.Transport(), Credentials: static(testKeys)}
		config.Credentials = alibaba.AssumeRole(config, arn, "story")
		cloud := alibaba.New(config)
		var callers sync.WaitGroup
		for range 64 {
			callers.Go(func() {
				for range 24 * 3 {
					if _, err := cloud.Get(t.Context(), orders.HAVIP); err != nil {
						t.Error(err)
					}
					time.Sleep(20 * time.Minute) //nolint:forbidigo // in a bubble
				}
			})
		}
		callers.Wait()
		if n := len(sim.Calls(simulator.CallFilter{Operation: "AssumeRole"})); n != 24 {
			t.Errorf("the role was assumed %d times, want once an hour", n)
		}
	})
}
