package main

import (
	"context"
	"flag"
	"io"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

var (
	manyStories = flag.Int("stories", 200, "stories under kill -9")
	faultSeed   = flag.Uint64("faultseed", 1, "of the moments at which processes are killed")
)

// TestKilledAtAnyMoment kills the host again and again while 200 stories go on:
// each ends in one outcome, attaches as often as it has to, and leaves its HAVIP
// with a healthy holder.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(*faultSeed, 9))
	w := newTown(t, *manyStories)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	d := w.open(t)
	span := time.Duration(*manyStories) * 50 * time.Millisecond
	all := w.reportAll(ctx, rand.New(rand.NewPCG(*faultSeed, 10)), span)
	var logs []io.Reader
	for end := time.Now().Add(2 * span); time.Now().Before(end); {
		wait(ctx, time.Duration(rng.Int64N(int64(1200*time.Millisecond))))
		d.kill()
		logs = append(logs, d.words)
		d = w.open(t)
	}
	all.Wait()
	w.check(t)
	d.stop(t)
	t.Logf("%d stories, %d kills", len(w.stories), len(logs))
	if len(w.stories) != *manyStories {
		t.Errorf("%d stories of %d events", len(w.stories), *manyStories)
	}
	for id, outcomes := range told(append(logs, d.words)) {
		if len(outcomes) != 1 {
			t.Errorf("story %s had the outcomes %v", id, outcomes)
		}
	}
}

// TestTerminatedUnderLoad: a host that is asked to stop finishes what it has
// begun, exits with 0, and the next one brings every accepted event to its end.
func TestTerminatedUnderLoad(t *testing.T) {
	t.Parallel()
	w := newTown(t, 120)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	d := w.open(t)
	all := w.reportAll(ctx, rand.New(rand.NewPCG(*faultSeed, 15)), 3*time.Second)
	for range 2 {
		wait(ctx, 1200*time.Millisecond)
		if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-d.ended
		if code := d.cmd.ProcessState.ExitCode(); code != 0 {
			t.Fatalf("SIGTERM: exit code %d: %s", code, d.words)
		}
		d = w.open(t)
	}
	all.Wait()
	w.check(t)
	d.stop(t)
}
