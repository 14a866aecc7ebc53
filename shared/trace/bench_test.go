package trace

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/functions"
	"havip-functions/shared/accounts"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/roster"
	"havip-functions/shared/simulator"
)

// BenchmarkStory measures the work of a story that attaches, by the processor's own count,
// without traces and with its trace sent to a collector: the limit is a tenth more. What
// is off is measured apart: the limit is a hundredth. The cloud and the collector are on
// sockets of another process, whose work is not ours.
func BenchmarkStory(b *testing.B) {
	at := theirs(b)
	on := FromEnvironment(environment("OTEL_EXPORTER_OTLP_ENDPOINT="+at.Collector), slog.New(slog.DiscardHandler))
	var story havip.Story
	play := player(b, at, func(s havip.Story) { story = s })
	var without, traces time.Duration
	const stories = 20
	for b.Loop() {
		for range stories {
			if _, err := http.Post("http://"+at.Control+"/reset", "", http.NoBody); err != nil { //nolint:noctx,bodyclose // of a benchmark
				b.Fatal(err)
			}
			without += work(func() { play() })
			traces += work(func() {
				on.Ended(story)
				on.Flush(b.Context())
			})
		}
	}
	if story.Outcome != havip.Attached || len(story.Looks) < 2 {
		b.Fatalf("the story is %+v", story)
	}
	const nothings = 1_000_000
	off := (*Exporter)(nil)
	idle := work(func() {
		for range nothings {
			off.Ended(story)
			off.Flush(b.Context())
		}
	})
	each := float64(b.N * stories)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(without.Microseconds())/each, "µs/story")
	b.ReportMetric(float64(traces.Microseconds())/each, "µs/trace")
	b.ReportMetric(100*float64(traces)/float64(without), "%on")
	b.ReportMetric(100*float64(idle)/nothings/(float64(without)/each), "%off")
}

// player plays the same story each time, within one invocation, as a function does that
// has a ledger in its memory.
func player(b *testing.B, at others, ended func(havip.Story)) func() {
	policies, err := roster.Parse(roster.Builtin())
	if err != nil {
		b.Fatal(err)
	}
	clouds := accounts.New(environment("HAVIP_ALIBABA_ENDPOINT=http://"+at.Alibaba, "ALIBABA_CLOUD_ACCESS_KEY_ID=testak", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=testsk"))
	return func() {
		memory := ledger.NewMemory()
		f := functions.New(flow.Function{
			Keeper: havip.Keeper{Ledger: memory, Roster: policies, Clouds: clouds.Clouds(havip.Credentials{})},
			Ledger: memory, Bus: nowhere{}, Log: slog.New(slog.DiscardHandler), Watch: time.Minute, Ended: ended,
		})
		e, err := events.New("1", time.Now(), events.InstanceStarted{Cloud: "alibaba", Region: "cn-hangzhou", Instance: "i-db1"}).CloudEvent()
		if err != nil {
			b.Fatal(err)
		}
		payload, err := events.Encode(e)
		if err == nil {
			err = f.Invoke(b.Context(), payload)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// nowhere is a bus that takes all: the invocation itself looks until its story has ended.
type nowhere struct{}

func (nowhere) Publish(context.Context, cloudevents.Event, time.Duration) error { return nil }

// work is the processor time that something takes, its waits not among it.
func work(do func()) time.Duration {
	used := func() time.Duration {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it can't fail for oneself
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	do()
	return used() - before
}

// others are who the story is played with.
type others struct {
	simulator.Addrs
	Collector string
}

// theirs starts them in a process of their own.
func theirs(b *testing.B) (at others) {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestOthers$")
	cmd.Env = append(os.Environ(), "OTHERS=yes")
	in, failed := cmd.StdinPipe()
	out, err := cmd.StdoutPipe()
	if err = errors.Join(failed, err, cmd.Start()); err == nil {
		err = json.NewDecoder(out).Decode(&at)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _, _ = in.Close(), cmd.Wait() }) // what it says then is no news
	return at
}

// TestOthers is that process, where it is asked to be: a cloud where nothing takes time,
// and a collector that takes all, until who started it is done.
func TestOthers(t *testing.T) {
	if os.Getenv("OTHERS") == "" {
		return
	}
	sim, err := simulator.New(simulator.Options{AssociateTime: -1, MasterTime: -1})
	if err != nil {
		t.Fatal(err)
	}
	const free = "127.0.0.1:0"
	l, err := simulator.Serve(t.Context(), simulator.Addrs{Alibaba: free, Baidu: free, Control: free}, sim)
	if err != nil {
		t.Fatal(err)
	}
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	if err := json.NewEncoder(os.Stdout).Encode(others{l.Addrs, collector.URL}); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}
