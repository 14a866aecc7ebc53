package ledger_test

import (
	"context"
	"errors"
	"flag"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"havip-functions/shared/ledger"
)

var inTables = flag.Int("ledger.tables", 10_000, "stories in the histories of DynamoDB and Tablestore; the servers that play them take a minute for so many")

// BenchmarkHistory reads one story, and the first page of 50 of a HAVIP's and of all,
// in turn from a history of 100 stories and from one of 100,000: x-of-100 is how many
// times as long the second takes. [ledger.Memory] is not among them: it lives as long
// as an invocation.
func BenchmarkHistory(b *testing.B) {
	for _, kept := range []struct {
		name string
		open func(testing.TB) ledger.Ledger
		many int
	}{
		{"JetStream", openJetStream, 100_000},
		{"Redis", openRedis, 100_000},
		{"DynamoDB", openDynamoDB, *inTables},
		{"Tablestore", openTablestore, *inTables},
	} {
		b.Run(kept.name, func(b *testing.B) {
			few, many := kept.open(b), kept.open(b)
			archive(b, few, 100)
			archive(b, many, kept.many)
			for name, read := range reads {
				b.Run(name, func(b *testing.B) {
					var took [2][]float64
					for b.Loop() {
						for n, l := range []ledger.Ledger{few, many} {
							began := time.Now()
							if err := read(b.Context(), l); err != nil {
								b.Fatal(err)
							}
							took[n] = append(took[n], time.Since(began).Seconds()*1000)
						}
					}
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(median(took[0]), "ms-of-100")
					b.ReportMetric(median(took[1]), "ms")
					b.ReportMetric(median(took[1])/median(took[0]), "x-of-100")
				})
			}
		})
	}
}

// reads are the ways to read a history.
var reads = map[string]func(context.Context, ledger.Ledger) error{
	"story": func(ctx context.Context, l ledger.Ledger) error {
		_, err := l.Story(ctx, id(story("", at).HAVIP, 50))
		return err
	},
	"page": func(ctx context.Context, l ledger.Ledger) error {
		_, _, err := l.Stories(ctx, story("", at).HAVIP.String(), "", 50)
		return err
	},
	"all": func(ctx context.Context, l ledger.Ledger) error { _, _, err := l.Stories(ctx, "", "", 50); return err },
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// archive keeps so many stories: every second one is of one HAVIP.
func archive(b *testing.B, l ledger.Ledger, many int) {
	b.Helper()
	var work errgroup.Group
	work.SetLimit(8)
	for n := range many {
		work.Go(func() error {
			s := story("", at.Add(time.Duration(n)*time.Second))
			if n%2 == 1 {
				s.HAVIP.ID += "2"
			}
			s.ID = id(s.HAVIP, n)
			err := l.Archive(b.Context(), s)
			for errors.Is(err, ledger.ErrSlow) { // as who sends an event again
				err = l.Archive(b.Context(), s)
			}
			return err
		})
	}
	if err := work.Wait(); err != nil {
		b.Fatal(err)
	}
}
