package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// BenchmarkCopies tells of 200 failures within a second, to a host with an engine of its
// own and to 1, 2 and 4 copies on a cluster of three nodes: all of them on this machine,
// with the clouds. The first copy hears the events; all share the looks. Where the clouds
// take no time it is the throughput of the machine, where they take 3 s the longest story
// is to be at most 1.2 times that of the embedded engine.
func BenchmarkCopies(b *testing.B) {
	for b.Loop() {
		fmt.Print("\n| T | copies | stories a second | median | longest |\n|---|---|---|---|---|\n")
		for _, takes := range []string{"3s", "0s"} {
			for _, copies := range []int{0, 1, 2, 4} {
				b.Run(fmt.Sprintf("T=%s/copies=%d", takes, copies), func(b *testing.B) { copiesLine(b, takes, copies) })
			}
		}
	}
}

func copiesLine(b *testing.B, takes string, copies int) {
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
	w.reportAll(ctx, rand.New(rand.NewPCG(1, 1)), time.Second).Wait()
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
	fmt.Printf("| %s | %s | %.1f | %.1f s | %.1f s |\n", takes, name, many/end.Sub(began).Seconds(), lasted[many/2].Seconds(), lasted[many-1].Seconds())
}
