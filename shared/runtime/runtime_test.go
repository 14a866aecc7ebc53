package runtime_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"havip-functions/shared/runtime"
)

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

func TestSafely(t *testing.T) {
	var said strings.Builder
	err := runtime.Safely(slog.New(slog.NewTextHandler(&said, nil)), func() error { panic("boom") })
	var panicked runtime.Panicked
	if !errors.As(err, &panicked) || panicked.Value != "boom" || !strings.Contains(said.String(), "runtime_test.go") {
		t.Errorf("got %v, and the log says %s", err, said.String())
	}
}
