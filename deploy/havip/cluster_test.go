package main

import (
	"cmp"
	"context"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/ledger/ledgertest"
)

var clusterStories = flag.Int("cluster.stories", 40, "stories of a cluster's test; at 500 it takes minutes")

// fleet is a town whose hosts share a cluster of three nodes. The first copy comes to
// them by wires of its own.
type fleet struct {
	*town
	nodes  ledgertest.Nodes
	wires  []*ledgertest.Wire
	copies []*daemon
	logs   []io.Reader // of those that are gone
}

func newFleet(t testing.TB, size, copies int, args ...string) *fleet {
	t.Helper()
	f := &fleet{town: newTown(t, size, args...), nodes: ledgertest.StartNodes(t)}
	for _, n := range f.nodes {
		f.wires = append(f.wires, ledgertest.Through(t, n.Host))
	}
	for i := range copies {
		f.copies = append(f.copies, nil)
		f.open(t, i)
	}
	f.host.Store(f.copies[0])
	return f
}

// open starts a copy.
func (f *fleet) open(t testing.TB, i int) {
	t.Helper()
	at := f.nodes.URLs()
	if i == 0 {
		at = ""
		for _, w := range f.wires {
			at += ",nats://" + w.Addr
		}
		at = at[1:]
	}
	f.copies[i] = startProgram(t, cmp.Or(f.program, os.Args[0]), f.env, "serve", "--addr", "127.0.0.1:0", "--nats", at, "--roster", f.roster)
}

func (f *fleet) kill(i int) {
	f.copies[i].kill()
	f.logs = append(f.logs, f.copies[i].words)
}

// ready asks a copy whether it is; one that is away is not.
func (f *fleet) ready(ctx context.Context, i int) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.copies[i].url()+"/readyz", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	return err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}

// TestCluster takes away, while stories go on, a copy of the host, a node of the
// cluster and the network between them. Each story ends in one outcome, attaches as
// often as it has to, and no look that is due waits for more than five seconds, but
// while the nodes themselves look for a leader.
func TestCluster(t *testing.T) {
	t.Parallel()
	f := newFleet(t, *clusterStories, 2, "--associate-time", "1s")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	w := f.watch(t)
	rng := rand.New(rand.NewPCG(*faultSeed, 40))
	quarter := *clusterStories / 4
	span := time.Duration(quarter) * 250 * time.Millisecond // or stories wait for the pace of the clouds
	for n, fault := range []struct {
		name           string
		strike, settle func()
	}{
		{"a copy is killed", func() { f.host.Store(f.copies[0]); f.kill(1) }, func() {}},
		{"a node is killed", func() { w.leader().Kill() }, func() {}},
		{"both come back", func() { f.open(t, 1); w.killed.Start() }, func() { f.host.Store(f.copies[0]) }},
		{"a copy is cut off", func() {
			for _, w := range f.wires {
				w.Cut()
			}
			f.host.Store(f.copies[1])
		}, func() {
			if f.ready(ctx, 0) {
				t.Error("a copy that is cut off says that it is ready")
			}
			for _, w := range f.wires {
				w.Mend()
			}
			eventually(t, "ready again", func() bool { return f.ready(ctx, 0) })
		}},
	} {
		began := time.Now()
		all := f.reportSome(ctx, rng, span, f.plights[n*quarter:(n+1)*quarter])
		wait(ctx, span/2)
		fault.strike()
		all.Wait()
		ended := f.outcomes(t)
		fault.settle()
		longest := time.Duration(0)
		for _, s := range ended {
			if s.StartedAt.After(began) {
				longest = max(longest, s.EndedAt.Sub(s.StartedAt))
			}
		}
		t.Logf("%s: %.1f s, the longest story %.1f s; %s", fault.name, time.Since(began).Seconds(), longest.Seconds(), w.tell())
	}
	f.check(t)
	for _, d := range f.copies {
		d.stop(t)
		if strings.Contains(d.words.String(), "lost writes") {
			t.Error("nothing was damaged, and a host says that writes are lost")
		}
		f.logs = append(f.logs, d.words)
	}
	for id, outcomes := range told(f.logs) {
		if len(outcomes) != 1 {
			t.Errorf("story %s had the outcomes %v", id, outcomes)
		}
	}
}
