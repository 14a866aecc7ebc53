package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/api"
	"havip-functions/shared/havip"
)

// slowed lets the syncs of a host take a while each, until the function that it
// returns is called.
func slowed(t *testing.T, d *daemon, delay time.Duration) (mend func()) {
	t.Helper()
	mend, _ = traced(t, d, "-e", "trace=fsync,fdatasync", "-e", fmt.Sprintf("inject=fsync,fdatasync:delay_enter=%d", delay.Microseconds()))
	return mend
}

// full lets a stream of a host's engine find no room, once or more often, until
// hit is true and mend called.
func full(t *testing.T, d *daemon, data, stream string) (mend func(), hit func() bool) {
	t.Helper()
	folder := filepath.Join(data, "jetstream", "$G", "streams", stream, "msgs")
	args := []string{"-e", "trace=write,pwrite64", "-e", "inject=write,pwrite64:error=ENOSPC"}
	for n := range 4 { // the block that is written, by its number, and the next ones
		args = append(args, "-P", filepath.Join(folder, fmt.Sprint(n+1)+".blk"))
	}
	mend, said := traced(t, d, args...)
	return mend, func() bool {
		text, err := os.ReadFile(said) //nolint:gosec // ours
		return err == nil && strings.Contains(string(text), "INJECTED")
	}
}

// traced holds up or changes system calls of a host by strace, which writes down
// what it did.
func traced(t *testing.T, d *daemon, args ...string) (mend func(), said string) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no strace on the path")
		}
		t.Skip("no strace on the path")
	}
	said = filepath.Join(t.TempDir(), "strace")
	args = append([]string{"-f", "-o", said, "-p", fmt.Sprint(d.cmd.Process.Pid)}, args...)
	cmd := exec.CommandContext(t.Context(), strace, args...) //nolint:gosec // the one on the path
	words, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(words)
	attached := false
	var first string
	for !attached && lines.Scan() {
		first += lines.Text()
		attached = strings.Contains(lines.Text(), "attached")
	}
	if !attached {
		t.Skipf("strace may not trace here: %s", first)
	}
	mend = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it lets go of the host
		_ = cmd.Wait()
	})
	t.Cleanup(mend)
	return mend, said
}

// A disk with 20 ms a sync: a hundred events at once are all taken, about one
// HAVIP and about many.
func TestSlowDisk(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "300ms")
	d := c.serve(t, t.TempDir(), builtinRoster(t))
	slowed(t, d, 20*time.Millisecond)
	together(100, func(i int) {
		d.tell(t, structured(fmt.Sprint(i), "health.failed", "baidu", "bj", []string{"i-syG1", "i-other"}[i%2])) // the second concerns nobody
	})
	if s := d.ends(t, d.accept(t, structured("last", "instance.started", "baidu", "bj", "i-syG2"))[0]); *s.Outcome == havip.Refused || *s.Outcome == havip.TimedOut {
		t.Errorf("%s", verdict(s))
	}
	d.stop(t)
	if strings.Contains(d.words.String(), "can't write") {
		t.Errorf("the log: %s", d.words)
	}
}

// A sync that takes twelve seconds costs who waits for it, and nobody else: the
// host goes on.
func TestOneSlowWrite(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "100ms")
	d := c.serve(t, t.TempDir(), builtinRoster(t))
	mend := slowed(t, d, 12*time.Second)
	event := structured("slow", "instance.started", "baidu", "bj", "i-syG1")
	if status, text := d.post(t, cloudEvent, event); status != http.StatusServiceUnavailable || !strings.Contains(text, "send it again") {
		t.Errorf("%d %s", status, text)
	}
	if status, _ := d.get(t, "/healthz"); status != http.StatusOK {
		t.Errorf("meanwhile /healthz answers %d", status)
	}
	mend()
	var story string
	eventually(t, "accepted again", func() bool {
		a, err := d.client().send(t.Context(), []byte(event))
		if err == nil {
			story = a.Accepted[0].Stories[0]
		}
		return err == nil
	})
	if s := d.ends(t, story); *s.Outcome != havip.Attached {
		t.Errorf("%s", verdict(s))
	}
	d.stop(t)
	if words := d.words.String(); strings.Contains(words, "can't write") || strings.Contains(words, "nothing is accepted") {
		t.Errorf("the host took the slow write for a full disk: %s", words)
	}
}

// One write that failed, to whatever stream, leaves that stream silent for ever:
// the host notices, says that it isn't ready, opens its engine anew, and every story
// ends.
func TestOneFailedWrite(t *testing.T) {
	t.Parallel()
	for _, stream := range []string{"HAVIP-REQUESTS", "HAVIP-OUTCOMES", "KV_havip-ledger", "KV_havip-stories", "KV_havip-strays"} {
		t.Run(stream, func(t *testing.T) {
			t.Parallel()
			c := simulate(t, "--associate-time", "100ms")
			data := t.TempDir()
			d := c.serve(t, data, builtinRoster(t))
			d.ends(t, d.accept(t, structured("0", "instance.started", "baidu", "bj", "i-syG1"))[0])
			stray := structured("1", "health.failed", "baidu", "bj", "i-other")
			d.accept(t, stray)
			mend, hit := full(t, d, data, stream)
			n := 0
			eventually(t, "a write that fails", func() bool {
				n++
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, _ = d.client().send(ctx, []byte(structured(fmt.Sprint("f", n), "health.failed", "baidu", "bj", []string{"i-syG1", "i-else"}[n%2])))
				return hit()
			})
			mend()
			for _, event := range []string{structured("2", "instance.started", "alibaba", "cn-hangzhou", "i-db1"), structured("3", "health.failed", "baidu", "bj", "i-other")} {
				var story string
				eventually(t, "accepted again", func() bool {
					ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
					defer cancel()
					a, err := d.client().send(ctx, []byte(event))
					if err == nil {
						story = a.Accepted[0].Stories[0]
					}
					return err == nil
				})
				d.ends(t, story)
			}
			eventually(t, "ready", func() bool {
				r, err := http.Get(d.url() + "/readyz")
				return err == nil && r.Body.Close() == nil && r.StatusCode == http.StatusOK
			})
			d.stop(t)
			if words := d.words.String(); !strings.Contains(words, "can't write") || !strings.Contains(words, stream) {
				t.Errorf("the log does not say what happened: %s", words)
			}
		})
	}
}

// A body that nobody can read is kept whole, though it fills a batch.
func TestALargeDeadLetter(t *testing.T) {
	t.Parallel()
	c := simulate(t)
	d := c.serve(t, t.TempDir(), builtinRoster(t))
	one := `{"specversion":"1.0","id":"x","source":"y","type":"havip.nothing","data":"` + strings.Repeat("x", 1000) + `"}`
	body := "[" + strings.Repeat(one+",", 900) + one + "]"
	if status, text := d.post(t, map[string]string{"Content-Type": "application/cloudevents-batch+json"}, body); status != http.StatusBadRequest {
		t.Fatalf("%d %s", status, text)
	}
	r := havipRuns(t, d.env, "dead", "list", "--json", "--host", d.url())
	_, rest, found := strings.Cut(r.out, `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	if !found || strings.Count(r.out, `"id":`) != 1 {
		t.Fatalf("the dead letters: %.200s %s", r.out, r.err)
	}
	if r := havipRuns(t, d.env, "dead", "show", id, "--host", d.url()); r.out != body {
		t.Errorf("of %d bytes %d are kept: %s", len(body), len(r.out), r.err)
	}
}

// The engine's errors name hosts, and no password.
func TestNATSKeepsThePassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"nats://user:hush@127.0.0.1:1", "nats://hush@127.0.0.1:1,nats://user:hush@127.0.0.1:2", "nats://user:hush@host:no port", "nats://user:hush%zz@127.0.0.1:1",
		"nats://user:hush/x@127.0.0.1:1", "nats://user:hush#x@127.0.0.1:1", "nats://user:hush?x@127.0.0.1:1",
	} {
		r := havipRuns(t, nil, "serve", "--addr", "127.0.0.1:0", "--nats", url, "--roster", builtinRoster(t))
		if r.code != exitUsage || !strings.Contains(r.err, "NATS at ") || strings.Contains(r.err+r.out, "hush") {
			t.Errorf("%s: %+v", url, r)
		}
	}
}

// A story keeps only some of its calls; who follows it is told all that he sees,
// once each.
func TestTheTellerGoesByTime(t *testing.T) {
	var b strings.Builder
	teller := teller{out: &b}
	const kept = 24
	var s api.Story
	for n := range 40 {
		s.Steps = append(s.Steps, havip.Taken{At: time.Unix(int64(n), 0), Step: havip.Attach, Instance: "i-db2", Result: "busy"})
		if len(s.Steps) > kept {
			s.Steps = append(s.Steps[:kept/2:kept/2], s.Steps[kept/2+1:]...)
		}
		teller.tell(s)
	}
	teller.tell(s)
	if told := strings.Count(b.String(), "Attach i-db2: busy"); told != 40 {
		t.Errorf("%d of 40 calls were told", told)
	}
}
