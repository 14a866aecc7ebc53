package host

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"havip-functions/events"
)

// BenchmarkWaiting is what follow-ups cost that wait for an hour, so many at a time, in
// the memory of this process with its engine; and how late those of a thousand are begun
// that fall due within a second beside them. The limits: 2 KB each, and 50 ms for all but
// one in a hundred.
func BenchmarkWaiting(b *testing.B) {
	for _, waiting := range []int{0, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) {
			for b.Loop() {
				wait(b, waiting)
			}
		})
	}
}

func wait(b *testing.B, waiting int) {
	const due = 1000
	e, q := openQueue(b, b.TempDir())
	defer e.close()
	ctx, stop := context.WithCancel(b.Context())
	var mu sync.Mutex
	var late []time.Duration
	q.late = func(by time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if late = append(late, by); len(late) == due {
			stop()
		}
	}
	before := resident(b)
	delivered := make(chan error, 1)
	go func() { delivered <- q.Deliver(ctx, func(context.Context, []byte) error { return nil }) }()
	send := func(from, count int, after func(n int) time.Duration) {
		var all errgroup.Group
		all.SetLimit(512)
		for n := range count {
			all.Go(func() error {
				ce, err := events.New(fmt.Sprint(from+n), time.Now(), events.StatusCheck{
					Cloud: "alibaba", Region: "cn-hangzhou", HAVIP: fmt.Sprint("havip-", n), Story: fmt.Sprint("story-", n), Attempt: 3,
					Carried: json.RawMessage(`"` + strings.Repeat("x", 1000) + `"`),
				}).CloudEvent()
				if err != nil {
					return err
				}
				return q.Publish(b.Context(), ce, after(n))
			})
		}
		if err := all.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	send(0, waiting, func(int) time.Duration { return time.Hour })
	for { // until each has been handed out, and back
		info, err := q.consumer.Info(ctx)
		if err != nil {
			b.Fatal(err)
		}
		if info.NumPending == 0 {
			break
		}
		<-time.After(100 * time.Millisecond)
	}
	<-time.After(10 * time.Second) // the engine forgets what it has read
	after := resident(b)
	const lead = 10 * time.Second
	at := time.Now().Add(lead)
	send(waiting, due, func(n int) time.Duration { return time.Until(at.Add(time.Duration(n) * time.Second / due)) })
	if err := <-delivered; err != nil {
		b.Fatal(err)
	}
	slices.Sort(late)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(after-before)/1e6, "MB")
	if waiting > 0 {
		b.ReportMetric(float64(after-before)/float64(waiting), "B/waiting")
	}
	b.ReportMetric(1000*late[due/2].Seconds(), "ms-late-p50")
	b.ReportMetric(1000*late[due*99/100].Seconds(), "ms-late-p99")
}

// resident is the memory of this process that is not free.
func resident(b *testing.B) (bytes int) {
	b.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	var all, pages int
	if _, scanned := fmt.Sscan(string(text), &all, &pages); err != nil || scanned != nil {
		b.Skip(err, scanned)
	}
	return pages * os.Getpagesize()
}
