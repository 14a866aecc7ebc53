package host

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"havip-functions/events"
	"havip-functions/shared/havip"
)

// The queue keeps what is not due yet: it lies there, and not with a function that
// waits. Nor does a restart hand it out.
func TestTheQueueHandsNothingOutEarly(t *testing.T) {
	const wait = 1200 * time.Millisecond
	data := t.TempDir()
	open := func() (*engine, *Bus) {
		e, err := openEngine("", data)
		if err != nil {
			t.Fatal(err)
		}
		b, err := openBus(t.Context(), e, &havip.Clock{}, slog.New(slog.DiscardHandler))
		if err != nil {
			e.close()
			t.Fatal(err)
		}
		return e, b
	}
	e, b := open()
	ce, err := events.New("later", time.Now(), events.Sweep{}).CloudEvent()
	if err == nil {
		err = b.Publish(t.Context(), ce, wait)
	}
	began := time.Now()
	if err != nil {
		t.Fatal(err)
	}
	e.close()
	e, b = open()
	defer e.close()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	var handed []time.Duration
	err = b.Deliver(ctx, func(context.Context, []byte) error {
		handed = append(handed, time.Since(began))
		stop()
		return nil
	})
	if err != nil || len(handed) != 1 || handed[0] < wait-50*time.Millisecond { // the clocks are read one after the other
		t.Errorf("handed out after %v, %v; due after %s", handed, err, wait)
	}
}
