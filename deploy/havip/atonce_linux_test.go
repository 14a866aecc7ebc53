package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkAtOnce is so many events about one HAVIP at the same moment, on a disk that
// takes 20 ms a sync: how long the answers took, and the syncs an event. The limits: 5 s,
// and four.
func BenchmarkAtOnce(b *testing.B) {
	for _, events := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("events=%d", events), func(b *testing.B) {
			for b.Loop() {
				took, syncs := atOnce(b, events, 20*time.Millisecond)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(took[len(took)/2].Seconds(), "s-p50")
				b.ReportMetric(took[len(took)*99/100].Seconds(), "s-p99")
				b.ReportMetric(took[len(took)-1].Seconds(), "s-most")
				b.ReportMetric(float64(syncs)/float64(events), "syncs/event")
			}
		})
	}
}

// atOnce tells a host of so many failures at once, and counts what it syncs until the
// story of the last has ended.
func atOnce(b testing.TB, events int, sync time.Duration) (took []time.Duration, syncs int) {
	b.Helper()
	c := simulate(b, "--associate-time", "300ms")
	cmd := command(b, c.env, "serve", "--addr", "127.0.0.1:0", "--data", b.TempDir(), "--roster", builtinRoster(b))
	said := onSlowDisk(b, cmd, sync)
	d := started(b, cmd, c.env)
	story := d.accept(b, structured("first", "health.failed", "baidu", "bj", "i-syG1"))[0]
	d.ends(b, story)
	before := countSyncs(b, said)
	senders := make([]*http.Client, 16) // each from an address of its own: one may have 128 connections
	for i := range senders {
		from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(i+1))}}
		senders[i] = &http.Client{Transport: &http.Transport{DialContext: from.DialContext}}
		defer senders[i].CloseIdleConnections()
	}
	took = make([]time.Duration, events)
	together(events, func(i int) {
		began := time.Now()
		answer, err := senders[i%len(senders)].Post(d.url()+"/events", "application/cloudevents+json", strings.NewReader(structured(fmt.Sprint(i), "health.failed", "baidu", "bj", "i-syG1")))
		if err != nil {
			b.Error(err)
			return
		}
		defer answer.Body.Close()
		if took[i] = time.Since(began); answer.StatusCode != http.StatusAccepted {
			b.Error(answer.Status)
		}
	})
	syncs = countSyncs(b, said) - before
	d.stop(b)
	slices.Sort(took)
	return took, syncs
}

// onSlowDisk lets each sync of a program take so long from its start on. Its file has a
// line for each. Of other system calls strace hears nothing: they cost what they do.
func onSlowDisk(b testing.TB, cmd *exec.Cmd, sync time.Duration) (said string) {
	b.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		b.Skip(err)
	}
	said = filepath.Join(b.TempDir(), "strace")
	slow := []string{"strace", "-D", "-f", "--seccomp-bpf", "-o", said, "-e", "signal=none", "-e", "trace=fsync,fdatasync", "-e", fmt.Sprintf("inject=fsync,fdatasync:delay_enter=%d", sync.Microseconds())}
	cmd.Path, cmd.Args = strace, append(slow, cmd.Args...)
	return said
}

func countSyncs(b testing.TB, said string) int {
	b.Helper()
	text, err := os.ReadFile(said) //nolint:gosec // ours
	if err != nil {
		b.Fatal(err)
	}
	return bytes.Count(text, []byte("(DELAYED)"))
}
