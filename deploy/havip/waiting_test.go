package main

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/events"
	"havip-functions/shared/api"
	"havip-functions/shared/ledger/ledgertest"
)

// watcher sees how long looks that are due wait. The time that the cluster's own nodes
// have no leader for them counts for nobody.
type watcher struct {
	*testing.T
	fleet  *fleet
	js     jetstream.JetStream
	killed *ledgertest.Node

	mu    sync.Mutex
	led   time.Time // since when there is a leader
	away  time.Duration
	worst time.Duration
	who   api.Story // as it was then
}

func (f *fleet) watch(t *testing.T) *watcher {
	t.Helper()
	conn, err := nats.Connect(f.nodes.URLs(), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{T: t, fleet: f}
	if w.js, err = jetstream.New(conn); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { w.askLeader(ctx) })
	watching.Go(func() { w.askStories(ctx) })
	t.Cleanup(func() { cancel(); watching.Wait(); conn.Close() })
	return w
}

// leads is the node that hands out what is due; nil while there is none.
func (w *watcher) leads(ctx context.Context) *ledgertest.Node {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	var at string
	for _, stream := range []string{"KV_havip-ledger", "KV_havip-events", "HAVIP-OUTCOMES", "HAVIP-REQUESTS"} {
		s, err := w.js.Stream(ctx, stream)
		if err != nil || s.CachedInfo().Cluster == nil || s.CachedInfo().Cluster.Leader == "" {
			return nil
		}
	}
	c, err := w.js.Consumer(ctx, "HAVIP-REQUESTS", "functions")
	if err != nil || c.CachedInfo().Cluster == nil || c.CachedInfo().Cluster.Leader == "" {
		return nil
	}
	at = c.CachedInfo().Cluster.Leader
	for i, n := range w.fleet.nodes {
		if at == fmt.Sprintf("n%d", i) {
			return n
		}
	}
	return nil
}

// leader is the node that leads now, which the caller is going to kill.
func (w *watcher) leader() *ledgertest.Node {
	w.Helper()
	eventually(w.T, "a leader", func() bool { w.killed = w.leads(w.Context()); return w.killed != nil })
	return w.killed
}

func (w *watcher) askLeader(ctx context.Context) {
	away := time.Time{}
	for ; ctx.Err() == nil; wait(ctx, 100*time.Millisecond) {
		found := w.leads(ctx) != nil
		w.mu.Lock()
		switch {
		case found && !away.IsZero():
			w.led, w.away, away = time.Now(), w.away+time.Since(away), time.Time{}
		case !found && away.IsZero():
			away = time.Now()
		}
		if !found {
			w.led = time.Now()
		}
		w.mu.Unlock()
	}
}

func (w *watcher) askStories(ctx context.Context) {
	for ; ctx.Err() == nil; wait(ctx, 300*time.Millisecond) {
		var list api.Stories
		asked := time.Now()
		patience, cancel := context.WithTimeout(ctx, 3*time.Second)
		err := w.fleet.host.Load().client().do(patience, "GET", "/api/stories", nil, &list)
		cancel()
		if err != nil {
			continue
		}
		w.mu.Lock()
		for _, s := range list.Stories {
			if s.Event.Type == events.TypeSweep { // it opens many at once, which wait for the pace of the clouds
				continue
			}
			due := s.NextAt
			if w.led.After(due) {
				due = w.led
			}
			if late := asked.Sub(due); s.Outcome == nil && late > w.worst {
				w.worst, w.who = late, s
			}
		}
		w.mu.Unlock()
	}
}

// tell is how long the worst look since the last time had waited.
func (w *watcher) tell() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	worst, away, who := w.worst, w.away, w.who
	w.worst, w.away = 0, 0
	most := 5 * time.Second
	if *clusterStories < 100 { // beside all the other tests
		most = 15 * time.Second
	}
	if worst > most {
		after, err := w.fleet.host.Load().client().story(w.Context(), who.ID)
		w.Errorf("a look waited for %s; the story was then %+v, and is now %+v %v", worst, who, after, err)
	}
	return fmt.Sprintf("a look waited for %.1f s at most, the nodes had no leader for %.1f s", worst.Seconds(), away.Seconds())
}
