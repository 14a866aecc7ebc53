package host

import (
	"context"
	"crypto/rand"
	"log/slog"
	"testing"
	"time"

	"havip-functions/events"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// openQueue opens the engine of a folder, with its queue.
func openQueue(t testing.TB, data string) (*engine, *Bus) {
	t.Helper()
	e, err := openEngine(ledger.NATS{}, 0, data)
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

// publishLater puts an event into the queue that is due after so long.
func publishLater(t *testing.T, b *Bus, wait time.Duration) {
	t.Helper()
	ce, err := events.New(rand.Text(), time.Now(), events.Sweep{}).CloudEvent()
	if err == nil {
		err = b.Publish(t.Context(), ce, wait)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The queue keeps what is not due yet: it lies there, and not with a function that
// waits. Nor does a restart hand it out.
func TestTheQueueHandsNothingOutEarly(t *testing.T) {
	const wait = 1200 * time.Millisecond
	data := t.TempDir()
	e, b := openQueue(t, data)
	began := time.Now() // before: to write it down takes a while on a slow disk
	publishLater(t, b, wait)
	e.close()
	e, b = openQueue(t, data)
	defer e.close()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	var handed []time.Duration
	err := b.Deliver(ctx, func(context.Context, []byte) error {
		handed = append(handed, time.Since(began))
		stop()
		return nil
	})
	if err != nil || len(handed) != 1 || handed[0] < wait-50*time.Millisecond { // the clocks are read one after the other
		t.Errorf("handed out after %v, %v; due after %s", handed, err, wait)
	}
}

// What is due soon is timed in the process, without going back to the engine, which
// has it until it is done. A process that stops before its time hands it back.
func TestWhatIsDueSoonIsHeldAndStaysDurable(t *testing.T) {
	e, b := openQueue(t, t.TempDir())
	defer e.close()
	began := time.Now()
	publishLater(t, b, near/2)
	for _, redelivered := range []int{0, 1} {
		ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
		handed := 0
		err := b.Deliver(ctx, func(context.Context, []byte) error {
			handed++
			info, err := b.consumer.Info(ctx)
			if err != nil || info.NumRedelivered != redelivered || info.NumAckPending != 1 {
				t.Errorf("the engine has %+v, %v", info, err)
			}
			stop()
			return nil
		})
		stop()
		if early := near/2 - time.Since(began); err != nil || handed != 1 || early > 50*time.Millisecond {
			t.Errorf("handed out %d times, %s early, %v", handed, early, err)
		}
		began = time.Now()
		publishLater(t, b, 2*near/3)
		stopped, stop := context.WithTimeout(t.Context(), near/10)
		err = b.Deliver(stopped, func(context.Context, []byte) error { t.Error("handed out early"); return nil })
		stop()
		if err != nil {
			t.Error(err)
		}
	}
}

// Nothing is known to be lost, nor to be there, where nobody answered what is written in
// its place.
func TestWhoIsNotAnsweredComparesNothing(t *testing.T) {
	e, b := openQueue(t, t.TempDir())
	publishLater(t, b, time.Hour)
	now, err := readMarks(t.Context(), b.js)
	if err != nil {
		t.Fatal(err)
	}
	e.close()
	before := marks{"HAVIP-REQUESTS": {Place: 1, Time: time.Now().Add(-time.Hour)}}
	if lost, err := now.lost(t.Context(), b.js, before); err == nil {
		t.Errorf("it says that %q are lost", lost)
	}
}
