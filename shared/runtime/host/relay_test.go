package host_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
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

// deaf refuses what it hears.
type deaf chan struct{}

// Publish implements [flow.Bus].
func (d deaf) Publish(context.Context, cloudevents.Event, time.Duration) error {
	d <- struct{}{}
	return errors.New("busy")
}

// A receiver that is away for long does not fill the log.
func TestADeafReceiverIsOneLine(t *testing.T) {
	var log bytes.Buffer
	t.Run("deaf", func(t *testing.T) {
		heard := make(deaf, 100)
		first(t, serve(t, simulated(t), host.Config{
			Data: t.TempDir(), Tell: map[string]flow.Bus{"sink": heard}, Log: slog.New(slog.NewTextHandler(&log, nil)),
		}), "1")
		for range 4 {
			select {
			case <-heard:
			case <-time.After(20 * time.Second):
				t.Fatal("it is not told again")
			}
		}
	})
	if n := strings.Count(log.String(), "is told again"); n != 1 {
		t.Errorf("%d lines", n)
	}
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
