package host_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/shared/flow"
	"havip-functions/shared/runtime/host"
)

// listener hears outcomes, and refuses the first.
type listener chan string

// Publish implements [flow.Bus].
func (l listener) Publish(_ context.Context, e cloudevents.Event, _ time.Duration) error {
	l <- e.Type() + " " + e.Subject()
	if len(l) == 1 {
		return errors.New("busy")
	}
	return nil
}

// Who hears the outcomes beside our own stream hears each, also after it was away,
// and keeps nobody waiting meanwhile.
func TestOutcomesAreRelayed(t *testing.T) {
	heard := make(listener, 10)
	h := serve(t, simulated(t), host.Config{Data: t.TempDir(), Tell: map[string]flow.Bus{"sink": heard}})
	if o := outcome(t, h, first(t, h, "1")); o["outcome"] != "attached" {
		t.Errorf("%v", o)
	}
	for end := time.After(20 * time.Second); len(heard) < 2; {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-end:
			t.Fatalf("it was told %d times, want once more after it was busy", len(heard))
		}
	}
	for range 2 {
		if got := <-heard; got != "havip.attached havip-bp1orders" {
			t.Errorf("it heard %s", got)
		}
	}
	if status, _ := ask(t, h, http.MethodGet, "/readyz", ""); status != http.StatusOK {
		t.Errorf("not ready: %d", status)
	}
}
