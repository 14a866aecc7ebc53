// Package runtimetest is what the tests of the hosts' rooms share: a function that
// does as its payload says, and a follow-up.
package runtimetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/shared/havip"
	"havip-functions/shared/runtime"
)

// Func makes a function of a func.
type Func func(ctx context.Context, payload []byte) error

// Invoke implements runtime.Invoker.
func (f Func) Invoke(ctx context.Context, payload []byte) error { return f(ctx, payload) }

// Scripted builds a function that does what its payload says: fail, busy, refused,
// panic, wait until its time is up, or fail with the call. Any other succeeds.
func Scripted(_ context.Context, call runtime.Call) (runtime.Invoker, error) {
	if call.Function == "havip-unknown" {
		return nil, errors.New("no such function: havip-unknown")
	}
	return Func(func(ctx context.Context, payload []byte) error { return script(ctx, call, string(payload)) }), nil
}

func script(ctx context.Context, call runtime.Call, word string) error {
	switch word {
	case "fail":
		return errors.New("broken\nin two lines")
	case "busy":
		return &havip.Error{Kind: havip.ErrBusy, Op: "AssociateHaVip", Code: "Throttling"}
	case "refused":
		return fmt.Errorf("story 1: %w", havip.ErrRefused)
	case "panic":
		panic("boom")
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	case "call":
		_, bounded := ctx.Deadline()
		return fmt.Errorf("id=%s region=%s account=%s function=%s retry=%d key=%s token=%s bounded=%t",
			call.RequestID, call.Region, call.AccountID, call.Function, call.Retry,
			call.Credentials.AccessKeyID, call.Credentials.SecurityToken, bounded)
	default:
		return nil
	}
}

// StatusCheck is a follow-up, check-1, with characters that nobody need escape.
func StatusCheck(t *testing.T) event.Event {
	t.Helper()
	e := event.New()
	e.SetID("check-1")
	e.SetSource("/havip")
	e.SetType("havip.status.check")
	e.SetSubject("<&>")
	if err := e.SetData("application/json", map[string]int{"attempt": 2}); err != nil {
		t.Fatal(err)
	}
	return e
}

// Quiet is a log that nobody reads.
func Quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
