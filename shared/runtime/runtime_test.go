package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"havip-functions/shared/havip"
	"havip-functions/shared/runtime"
)

// TestMain runs the tests, or is the function that TestLambda starts.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		startLambda()
		return
	}
	os.Exit(m.Run())
}

func TestDetect(t *testing.T) {
	for name, tt := range map[string]struct {
		env  map[string]string
		want runtime.Kind
	}{
		"nothing":                {nil, runtime.Own},
		"an FC port":             {map[string]string{"FC_SERVER_PORT": "9000"}, runtime.OnFCCustom},
		"an FC function":         {map[string]string{"FC_FUNCTION_NAME": "f"}, runtime.OnFCCustom},
		"FC's go1":               {map[string]string{"FC_RUNTIME_API": "h:1", "FC_FUNCTION_NAME": "f"}, runtime.OnFCGo},
		"Lambda":                 {map[string]string{"AWS_LAMBDA_RUNTIME_API": "h:1"}, runtime.OnLambda},
		"Lambda before the rest": {map[string]string{"AWS_LAMBDA_RUNTIME_API": "h:1", "FC_SERVER_PORT": "1"}, runtime.OnLambda},
	} {
		t.Run(name, func(t *testing.T) {
			if got := runtime.Detect(func(k string) string { return tt.env[k] }); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func ExampleDetect() {
	environment := map[string]string{"FC_SERVER_PORT": "9000"}
	fmt.Println(runtime.Detect(func(name string) string { return environment[name] }))
	// Output: fc-custom
}

// invoker makes a function of a func.
type invoker func(ctx context.Context, payload []byte) error

func (f invoker) Invoke(ctx context.Context, payload []byte) error { return f(ctx, payload) }

// scripted is a function that does what its payload says.
func scripted(_ context.Context, call runtime.Call) (runtime.Invoker, error) {
	if call.Function == "havip-unknown" {
		return nil, errors.New("no such function: havip-unknown")
	}
	return invoker(func(ctx context.Context, payload []byte) error { return script(ctx, call, string(payload)) }), nil
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

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestSafely(t *testing.T) {
	var said strings.Builder
	err := runtime.Safely(slog.New(slog.NewTextHandler(&said, nil)), func() error { panic("boom") })
	var panicked runtime.Panicked
	if !errors.As(err, &panicked) || panicked.Value != "boom" || !strings.Contains(said.String(), "runtime_test.go") {
		t.Errorf("got %v, and the log says %s", err, said.String())
	}
}
