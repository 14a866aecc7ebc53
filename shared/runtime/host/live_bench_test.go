package host_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/runtime/host"
)

// BenchmarkWatchedStory is one story that finds all as it should be, from its event to its
// outcome, with so many viewers who each are told of it. The limit: 200 cost it no more
// than as much again.
func BenchmarkWatchedStory(b *testing.B) {
	for _, viewers := range []int{0, 200} {
		b.Run(fmt.Sprint(viewers, "-viewers"), func(b *testing.B) {
			h := serve(b, simulated(b), host.Config{Data: b.TempDir(), Limits: host.Limits{Connections: 1000, Rate: 1e6}})
			first(b, h, "0")
			watch(b, h, "0", 1)
			told := make(chan time.Time, viewers)
			for range viewers {
				listenIn(b, h, told)
			}
			var latest time.Duration
			n := 0
			for b.Loop() {
				n++
				began := time.Now()
				outcome(b, h, first(b, h, fmt.Sprint("e-", n)))
				for range viewers {
					latest = max(latest, (<-told).Sub(began))
				}
			}
			b.ReportMetric(float64(latest.Milliseconds()), "ms-to-the-last-viewer")
		})
	}
}

// listenIn follows the outcomes until the benchmark ends.
func listenIn(b testing.TB, h *host.Host, told chan<- time.Time) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+h.Addr+"/live", nil)
	if err != nil {
		b.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if lines.Text() == "" { // it has begun
			break
		}
	}
	go func() {
		defer answer.Body.Close()
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "data: {") {
				told <- time.Now()
			}
		}
	}()
}
