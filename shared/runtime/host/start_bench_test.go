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

	"havip-functions/shared/havip"
	"havip-functions/shared/runtime/host"
)

var startStories = flag.Int("host.stories", 10_000, "how many stories BenchmarkStart has archived; a million take minutes and a gigabyte")

// BenchmarkStart is the way of a host from nothing to its first answer, with so many
// archived stories: after a stop, and after a kill, when the engine's notes about its
// files, which it writes as it stops, are missing. The limit: 2 s with a million.
func BenchmarkStart(b *testing.B) {
	data, list := b.TempDir(), street(b, 10)
	furnish(b, data, list, *startStories)
	for _, after := range []string{"stop", "kill"} {
		b.Run("after-a-"+after, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				notes, err := filepath.Glob(filepath.Join(data, "jetstream", "$G", "streams", "*", "msgs", "index.db"))
				if err != nil || len(notes) == 0 {
					b.Fatal(notes, err)
				}
				for _, at := range notes {
					if after == "kill" && os.Remove(at) != nil {
						b.Fatal(at)
					}
				}
				b.StartTimer()
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
				stop()
				if err := <-ended; err != nil {
					b.Error(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/start")
		})
	}
}
