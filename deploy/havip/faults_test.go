package main

import (
	"context"
	"flag"
	"io"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"havip-functions/shared/havip"
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
	w := newTown(t, *manyStories, "--faults", "delay=150ms") // so that many die with a call under way
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	d := w.open(t)
	span := time.Duration(*manyStories) * 50 * time.Millisecond
	all := w.reportAll(ctx, rand.New(rand.NewPCG(*faultSeed, 10)), span)
	var logs []io.Reader
	const fewest = 10 // however slow the machine is
	for end := time.Now().Add(2 * span); time.Now().Before(end) || len(logs) < fewest; {
		wait(ctx, time.Duration(rng.Int64N(int64(1200*time.Millisecond))))
		d.kill()
		if strings.Contains(d.words.String(), "lost writes") {
			t.Error("it was only killed, and says that writes are lost")
		}
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

// TestTheCloudGoesAwayAndComesBack: a story outlives a cloud that can't be
// reached for a while, and does not fail for it.
func TestTheCloudGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "100ms")
	d := c.serve(t, t.TempDir(), builtinRoster(t))
	c.stop(t)
	story := d.accept(t, structured("1", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))[0]
	eventually(t, "several looks in vain", func() bool {
		s, err := d.client().story(t.Context(), story)
		return err == nil && s.Attempt > 3 && s.Code == "Unreachable" && s.Outcome == nil
	})
	c.daemon = start(t, nil, "simulate", "--alibaba", c.Alibaba, "--baidu", c.Baidu, "--control", c.Control, "--associate-time", "100ms")
	if s := d.ends(t, story); *s.Outcome != havip.Attached {
		t.Errorf("%s", verdict(s))
	}
	if total, effects := c.calls(t, "AssociateHaVip"); total != 1 || effects != 1 {
		t.Errorf("%d calls, %d with effect", total, effects)
	}
}
