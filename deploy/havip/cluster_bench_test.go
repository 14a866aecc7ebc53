package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// BenchmarkCopies tells of 200 failures within so long, to a host with an engine of its
// own and to 1, 2 and 4 copies on a cluster of three nodes: all of them on this machine,
// with the clouds. The first copy hears the events; all share the looks. Within a second,
// and where the clouds take no time, it is the throughput of the machine; else the longest
// story is to be at most 1.2 times that of the embedded engine.
func BenchmarkCopies(b *testing.B) {
	for b.Loop() {
		fmt.Print("\n| T | within | copies | stories a second | median | longest |\n|---|---|---|---|---|---|\n")
		for _, c := range []struct {
			takes  string
			within time.Duration
		}{{"3s", 25 * time.Second}, {"3s", time.Second}, {"0s", time.Second}} {
			for _, copies := range []int{0, 1, 2, 4} {
				b.Run(fmt.Sprintf("T=%s/within=%s/copies=%d", c.takes, c.within, copies), func(b *testing.B) { copiesLine(b, c.takes, c.within, copies) })
			}
		}
	}
}

func copiesLine(b *testing.B, takes string, within time.Duration, copies int) {
	const many = 200
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
	defer cancel()
	var w *town
	name := fmt.Sprint(copies)
	if copies == 0 {
		w, name = newTown(b, many, "--associate-time", takes), "an engine of its own"
		w.open(b)
	} else {
		w = newFleet(b, many, copies, "--associate-time", takes).town
	}
	began := time.Now()
	w.reportAll(ctx, rand.New(rand.NewPCG(1, 1)), within).Wait()
	var lasted []time.Duration
	end := began
	for id, s := range w.outcomes(b) {
		if _, ours := w.stories[id]; ours {
			lasted = append(lasted, s.EndedAt.Sub(s.StartedAt))
			if s.EndedAt.After(end) {
				end = *s.EndedAt
			}
		}
	}
	slices.Sort(lasted)
	fmt.Printf("| %s | %s | %s | %.1f | %.1f s | %.1f s |\n", takes, within, name, many/end.Sub(began).Seconds(), lasted[many/2].Seconds(), lasted[many-1].Seconds())
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(many/end.Sub(began).Seconds(), "stories/s")
	b.ReportMetric(lasted[many-1].Seconds(), "s-longest")
}
