package host_test

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"havip-functions/shared/havip"
	"havip-functions/shared/runtime/host"
)

var startStories = flag.Int("host.stories", 10_000, "how many stories BenchmarkStart has archived; a million take minutes and a gigabyte")

// BenchmarkStart is the way of a host from nothing to its first answer, with so many
// archived stories: after a stop, and without the engine's notes about its files, which it
// writes as it stops and every two minutes: a kill is between the two. The limit: 2 s with
// a million.
func BenchmarkStart(b *testing.B) {
	data, list := b.TempDir(), street(b, 10)
	furnish(b, data, list, *startStories)
	if *startStories > 100_000 { // the ids of the last two minutes are looked for: those of a host are older
		<-time.After(2 * time.Minute)
	}
	for _, notes := range []string{"with-notes", "without-notes"} {
		b.Run(notes, func(b *testing.B) {
			var worked float64
			for b.Loop() {
				b.StopTimer()
				files, err := filepath.Glob(filepath.Join(data, "jetstream", "$G", "streams", "*", "msgs", "index.db"))
				if err != nil || len(files) == 0 {
					b.Fatal(files, err)
				}
				for _, at := range files {
					if notes == "without-notes" && os.Remove(at) != nil {
						b.Fatal(at)
					}
				}
				b.StartTimer()
				before := processor(b)
				ctx, stop := context.WithCancel(b.Context())
				h, err := host.Open(ctx, host.Config{
					Addr: "127.0.0.1:0", Data: data, Roster: list, Log: slog.New(slog.DiscardHandler),
					Clouds: func(context.Context, havip.Policy, string) (havip.Cloud, havip.Fleet, error) {
						return nil, nil, errors.New("no cloud")
					},
				})
				if err != nil {
					b.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- h.Serve(ctx) }()
				if status, v := ask(b, h, http.MethodGet, "/readyz", ""); status != http.StatusOK {
					b.Error(status, v)
				}
				b.StopTimer()
				worked += processor(b) - before
				stop()
				if err := <-ended; err != nil {
					b.Error(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/start")
			b.ReportMetric(worked/float64(b.N), "cpu-s/start")
		})
	}
}

// processor is how many seconds of processors this process has taken: what a start takes
// on a quiet machine, where this one is not.
func processor(b *testing.B) float64 {
	b.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}
