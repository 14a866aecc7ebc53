package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"havip-functions/shared/havip"
)

// town is a world of many HAVIPs on both clouds, each with three instances of
// its own and one event that befalls it.
type town struct {
	clouds
	data, roster string
	plights      []plight

	host    atomic.Pointer[daemon] // the one that runs now
	mu      sync.Mutex
	stories map[string]plight // by the id of the story, once its event was accepted
}

// plight is what befalls one HAVIP, and what has to come of it.
type plight struct {
	havip, cloud, region string
	kind, instance       string // of the event
	holder, state        string // who holds it at first, and how that instance is
	ends                 havip.Outcome
	attaches             int // with effect
}

// newPlight is the nth: a holder that failed, a HAVIP that nobody holds, or one
// where all is well.
func newPlight(n int) plight {
	p := plight{havip: fmt.Sprintf("havip-%d", n), cloud: "alibaba", region: "cn-hangzhou", state: "Running"}
	if n%2 == 1 {
		p.cloud, p.region = "baidu", "bj"
	}
	p.instance = fmt.Sprintf("i-%d-a", n)
	switch n / 2 % 4 {
	case 0, 1:
		p.kind, p.holder, p.state, p.ends, p.attaches = "health.failed", p.instance, "Stopped", havip.Attached, 1
	case 2:
		p.kind, p.ends, p.attaches = "instance.started", havip.Attached, 1
	case 3:
		p.kind, p.holder, p.ends = "instance.started", p.instance, havip.Unchanged
	}
	return p
}

func newTown(t testing.TB, size int, args ...string) *town {
	t.Helper()
	w := &town{data: t.TempDir(), stories: map[string]plight{}}
	network := map[string]string{"alibaba": "vswitch", "baidu": "subnet"}
	instances, havips := map[string]string{}, map[string]string{}
	var roster strings.Builder
	roster.WriteString("brake: {failovers: 1000000, within: 10m}\ndefaults: {hold: 1, limit: 2, coolDown: 1s}\nhavips:\n")
	for n := range size {
		p := newPlight(n)
		w.plights = append(w.plights, p)
		at := network[p.cloud] + ": net-1"
		for member, state := range map[string]string{"a": p.state, "b": "Running", "c": "Running"} {
			instances[p.cloud] += fmt.Sprintf("    - {id: i-%d-%s, %s, state: %s}\n", n, member, at, state)
		}
		havips[p.cloud] += fmt.Sprintf("    - {id: %s, %s, ip: 10.0.%d.%d, holders: [%s]}\n", p.havip, at, n/250, n%250+1, p.holder)
		fmt.Fprintf(&roster, "  - {name: n%d, cloud: %s, region: %s, id: %s, members: [i-%[1]d-a, i-%[1]d-b, i-%[1]d-c]}\n",
			n, p.cloud, p.region, p.havip)
	}
	var world strings.Builder
	for cloud, region := range map[string]string{"alibaba": "cn-hangzhou", "baidu": "bj"} {
		fmt.Fprintf(&world, "%s:\n  region: %s\n  accessKeys: {testak: testsk}\n  %ss: [{id: net-1, vpc: vpc-1}]\n  instances:\n%s  havips:\n%s",
			cloud, region, strings.Replace(network[cloud], "switch", "switche", 1), instances[cloud], havips[cloud])
	}
	w.roster = file(t, "roster.yaml", roster.String())
	w.clouds = simulate(t, append([]string{"--associate-time", "200ms", "--world", file(t, "world.yaml", world.String())}, args...)...)
	return w
}

// open starts a host on the town's data folder.
func (w *town) open(t testing.TB) *daemon {
	t.Helper()
	d := w.serve(t, w.data, w.roster)
	w.host.Store(d)
	return d
}

// report sends the event of a plight to whichever host runs, until one accepts it.
func (w *town) report(ctx context.Context, p plight) {
	body := []byte(structured(p.havip, p.kind, p.cloud, p.region, p.instance))
	for ctx.Err() == nil {
		patience, cancel := context.WithTimeout(ctx, 10*time.Second)
		a, err := w.host.Load().client().send(patience, body)
		cancel()
		if err == nil {
			w.mu.Lock()
			w.stories[a.Accepted[0].Stories[0]] = p
			w.mu.Unlock()
			return
		}
		wait(ctx, 20*time.Millisecond)
	}
}

// reportAll sends all events, each at its own time within the span.
func (w *town) reportAll(ctx context.Context, rng *rand.Rand, span time.Duration) *sync.WaitGroup {
	return w.reportSome(ctx, rng, span, w.plights)
}

func (w *town) reportSome(ctx context.Context, rng *rand.Rand, span time.Duration, some []plight) *sync.WaitGroup {
	var all sync.WaitGroup
	for _, p := range some {
		at := time.Duration(rng.Int64N(int64(span)))
		all.Go(func() {
			wait(ctx, at)
			w.report(ctx, p)
		})
	}
	return &all
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
