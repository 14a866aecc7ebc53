package cloudtest

import (
	"slices"
	"testing"
	"time"
)

// Way is one of two ways to do the same.
type Way struct {
	Name string
	Do   func() error
}

// Compare takes both ways in turn, so that a busy machine slows both, and reports
// how often a second each can be taken, and how many times as long ours takes. It
// goes by the medians: the mean would tell what else the machine did.
func Compare(b *testing.B, ours, bare Way) {
	b.Helper()
	took := [2][]time.Duration{}
	for n := 0; b.Loop(); n++ {
		for turn := range 2 {
			way := (n + turn) % 2 // nobody always comes second
			began := time.Now()
			if err := []Way{ours, bare}[way].Do(); err != nil {
				b.Fatal(err)
			}
			took[way] = append(took[way], time.Since(began))
		}
	}
	mine, theirs := median(took[0]), median(took[1])
	b.ReportMetric(0, "ns/op") // of both together: it says nothing
	b.ReportMetric(float64(time.Second)/mine, ours.Name+"/s")
	b.ReportMetric(float64(time.Second)/theirs, bare.Name+"/s")
	b.ReportMetric(mine/theirs, "times")
}

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2])
}
