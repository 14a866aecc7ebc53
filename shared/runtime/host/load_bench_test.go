package host_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"havip-functions/shared/havip"
	"havip-functions/shared/runtime/host"
	"havip-functions/shared/simulator"
)

// senders are how many tell and write at the same time.
const senders = 64

// BenchmarkEngine is what the engine does by itself, with as many who write at once and
// messages of the size of our events, each on disk before it is acknowledged: the limit of
// BenchmarkAccept.
func BenchmarkEngine(b *testing.B) {
	for b.Loop() {
		published, consumed := bare(b, 4000)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(published, "published/s")
		b.ReportMetric(consumed, "consumed/s")
	}
}

// BenchmarkAccept is how many events a second a host takes, which are durable then, and
// how many stories a second it brings to their outcome, the clouds taking no time. Each
// event begins one that looks once and finds all as it should be. The limit of what it
// takes is 0.8 times what the engine publishes; and that it is the same with 10 HAVIPs on
// the roster and with 10,000.
func BenchmarkAccept(b *testing.B) {
	for _, havips := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("HAVIPs=%d", havips), func(b *testing.B) {
			l := newLoad(b, havips)
			for b.Loop() {
				accepted, ended, halves := l.flood(b, 2000)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(accepted, "accepted/s")
				b.ReportMetric(ended, "ended/s")
				b.ReportMetric(halves, "%halves")
			}
		})
	}
}

// BenchmarkStrangers is how many events a second a host takes of instances that nobody
// rostered, as a cloud's bus sends them: it writes each down, and no more follows.
func BenchmarkStrangers(b *testing.B) {
	l := newLoad(b, 1000)
	l.instance = "i-other%d"
	for b.Loop() {
		accepted, _, halves := l.flood(b, 4000)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(accepted, "accepted/s")
		b.ReportMetric(halves, "%halves")
	}
}

// BenchmarkOwnPart is the time from an event's first byte to the outcome that is told, in
// a cloud that takes no time, at so many events a second. The limit: 5 ms at 200, of which
// all but one in a hundred is faster.
func BenchmarkOwnPart(b *testing.B) {
	l := newLoad(b, 1000)
	for _, rate := range []int{10, 50, 100, 200, 400, 800} {
		b.Run(fmt.Sprintf("rate=%d", rate), func(b *testing.B) {
			for b.Loop() {
				took := l.steady(b, rate, max(200, 5*rate))
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(1000*took[len(took)/2].Seconds(), "ms-p50")
				b.ReportMetric(1000*took[len(took)*99/100].Seconds(), "ms-p99")
			}
		})
	}
}

// load is a host, and those who tell it.
type load struct {
	host    *host.Host
	clients [senders]*http.Client
	havips  int
	told    int

	instance string // of the nth HAVIP

	mu    sync.Mutex
	ended map[string]time.Time // stories
	news  *sync.Cond
}

func newLoad(b *testing.B, havips int) *load {
	b.Helper()
	sim, err := simulator.New(simulator.Options{World: streetWorld(havips), AssociateTime: -1, MasterTime: -1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(sim.Close)
	l := &load{havips: havips, instance: "i-db%d-0", ended: map[string]time.Time{}}
	l.news = sync.NewCond(&l.mu)
	l.host = serve(b, sim, host.Config{
		Data: b.TempDir(), Roster: street(b, havips), Sweep: time.Hour,
		Limits: host.Limits{Rate: 1e6, Connections: 2 * senders},
		Ended:  l.hear,
	})
	for i := range l.clients {
		l.clients[i] = &http.Client{Transport: &http.Transport{DialContext: new(net.Dialer).DialContext, MaxIdleConnsPerHost: 1}}
	}
	return l
}

func (l *load) hear(s havip.Story) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended[s.ID] = time.Now()
	l.news.Broadcast()
}

// tell sends an event about the next HAVIP, from one of the clients, and returns the story.
func (l *load) tell(ctx context.Context, client, n int) (string, error) {
	body := fmt.Sprintf(`{"specversion":"1.0","id":"e-%d","source":"test","type":"havip.instance.started",
		"data":{"cloud":"alibaba","region":"cn-hangzhou","instance":%q}}`, n, fmt.Sprintf(l.instance, n%l.havips))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+l.host.Addr+"/events", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/cloudevents+json")
	answer, err := l.clients[client].Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	_, after, found := strings.Cut(string(text), `"stories":["`)
	story, _, _ := strings.Cut(after, `"`)
	if err != nil || !found {
		return "", fmt.Errorf("%s %s %w", answer.Status, text, err)
	}
	return story, nil
}

// wait returns when a story ended.
func (l *load) wait(story string) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.ended[story].IsZero() {
		l.news.Wait()
	}
	return l.ended[story]
}

// flood tells so many events, as fast as they are taken.
func (l *load) flood(b *testing.B, events int) (accepted, ended, halves float64) {
	b.Helper()
	stories := make([]string, events)
	answered := make([]time.Time, events)
	began := time.Now()
	var all errgroup.Group
	for c := range senders {
		all.Go(func() (err error) {
			for i := c; i < events && err == nil; i += senders {
				stories[i], err = l.tell(b.Context(), c, l.told+i)
				answered[i] = time.Now()
			}
			return err
		})
	}
	if err := all.Wait(); err != nil {
		b.Fatal(err)
	}
	l.told += events
	slices.SortFunc(answered, time.Time.Compare)
	all1, half := answered[events-1].Sub(began), answered[events/2-1].Sub(began)
	var last time.Time
	for _, s := range stories {
		if at := l.wait(s); at.After(last) {
			last = at
		}
	}
	return float64(events) / all1.Seconds(), float64(events) / last.Sub(began).Seconds(), 100 * float64(half) / float64(all1-half)
}

// steady tells so many events at a rate, whether the ones before have been answered or not.
func (l *load) steady(b *testing.B, rate, events int) (took []time.Duration) {
	b.Helper()
	took = make([]time.Duration, events)
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	free := make(chan int, senders)
	for c := range senders {
		free <- c
	}
	var all errgroup.Group
	for i := range events {
		<-tick.C
		n, due := l.told+i, time.Now()
		all.Go(func() error {
			c := <-free
			story, err := l.tell(b.Context(), c, n)
			free <- c
			if err == nil {
				took[i] = l.wait(story).Sub(due)
			}
			return err
		})
	}
	if err := all.Wait(); err != nil {
		b.Fatal(err)
	}
	l.told += events
	slices.Sort(took)
	return took
}

// bare is the engine without us.
func bare(b *testing.B, messages int) (published, consumed float64) {
	b.Helper()
	js, shut := alone(b, b.TempDir(), true)
	defer shut()
	stream, err := js.CreateStream(b.Context(), jetstream.StreamConfig{Name: "BARE", Subjects: []string{"bare"}, Retention: jetstream.WorkQueuePolicy})
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	var all errgroup.Group
	all.SetLimit(senders)
	for range messages {
		all.Go(func() error {
			_, err := js.Publish(b.Context(), "bare", make([]byte, 600))
			return err
		})
	}
	if err := all.Wait(); err != nil {
		b.Fatal(err)
	}
	published = float64(messages) / time.Since(began).Seconds()
	consumer, err := stream.CreateConsumer(b.Context(), jetstream.ConsumerConfig{AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: -1})
	if err != nil {
		b.Fatal(err)
	}
	began = time.Now()
	got := make(chan jetstream.Msg, messages)
	consuming, err := consumer.Consume(func(m jetstream.Msg) { got <- m })
	if err != nil {
		b.Fatal(err)
	}
	defer consuming.Stop()
	for range messages {
		if err := (<-got).DoubleAck(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	return published, float64(messages) / time.Since(began).Seconds()
}
