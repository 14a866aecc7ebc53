package host_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/roster"
	"havip-functions/shared/runtime/host"
	"havip-functions/shared/simulator"
)

// BenchmarkFirstPaint is the page of a host with so many HAVIPs and archived stories, in
// the Chromium of this machine: from the navigation to what a person sees first, and what
// came over the wire. The limit: a second, 200 KB.
func BenchmarkFirstPaint(b *testing.B) {
	browser := chromium(b)
	for _, size := range []struct{ havips, stories int }{{10, 100}, {1000, 100_000}} {
		b.Run(fmt.Sprintf("%d-HAVIPs-%d-stories", size.havips, size.stories), func(b *testing.B) {
			data, list := b.TempDir(), street(b, size.havips)
			furnish(b, data, list, size.stories)
			sim, err := simulator.New(simulator.Options{World: streetWorld(size.havips)})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(sim.Close)
			h := serve(b, sim, host.Config{Data: data, Roster: list})
			var paints, kilobytes []float64
			for b.Loop() {
				ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
				cmd := exec.CommandContext(ctx, "node", filepath.Join("testdata", "browser", "page.mjs"), "paint", "http://"+h.Addr) //nolint:gosec // our own
				cmd.Env = append(cmd.Environ(), "CHROMIUM="+browser)
				text, err := cmd.Output()
				cancel()
				var seen struct{ Paint, Bytes float64 }
				if err != nil || json.Unmarshal(text, &seen) != nil {
					b.Fatalf("%v: %s", err, text)
				}
				paints, kilobytes = append(paints, seen.Paint), append(kilobytes, seen.Bytes/1000)
			}
			slices.Sort(paints)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(paints[len(paints)/2], "ms-to-first-paint")
			b.ReportMetric(slices.Max(kilobytes), "KB")
		})
	}
}

// streetWorld is one account with so many HAVIPs, each with two instances.
func streetWorld(havips int) simulator.World {
	r := simulator.Realm{
		Region: "cn-hangzhou", AccessKeys: map[string]string{"testak": "testsk"},
		VSwitches: []simulator.Network{{ID: "vsw-a", VPC: "vpc-1"}},
	}
	for n := range havips {
		for side := range 2 {
			r.Instances = append(r.Instances, simulator.Instance{ID: fmt.Sprintf("i-db%d-%d", n, side), VSwitch: "vsw-a"})
		}
		r.HAVIPs = append(r.HAVIPs, simulator.HAVIP{ID: fmt.Sprintf("havip-%d", n), VSwitch: "vsw-a", IP: fmt.Sprintf("10.%d.%d.1", n/250, n%250), Holders: []string{fmt.Sprintf("i-db%d-0", n)}})
	}
	return simulator.World{Alibaba: simulator.Realms{r}}
}

// street is its roster.
func street(b *testing.B, havips int) *roster.Roster {
	b.Helper()
	var text bytes.Buffer
	text.WriteString("defaults: {hold: 1}\nhavips:\n")
	for n := range havips {
		fmt.Fprintf(&text, "  - {name: o%d, cloud: alibaba, region: cn-hangzhou, id: havip-%d, members: [i-db%d-0, i-db%d-1]}\n", n, n, n, n)
	}
	list, err := roster.Parse(text.Bytes())
	if err != nil {
		b.Fatal(err)
	}
	return list
}

// alone is the engine without us, on a folder.
func alone(b *testing.B, data string, synced bool) (js jetstream.JetStream, shut func()) {
	b.Helper()
	engine, err := server.NewServer(&server.Options{ServerName: "havip", DontListen: true, JetStream: true, StoreDir: data, SyncAlways: synced, NoSigs: true, NoLog: true})
	if err != nil {
		b.Fatal(err)
	}
	engine.Start()
	if !engine.ReadyForConnections(30 * time.Second) {
		b.Fatal("the engine is not ready")
	}
	conn, err := nats.Connect("", nats.InProcessServer(engine))
	if err != nil {
		b.Fatal(err)
	}
	if js, err = jetstream.New(conn); err != nil {
		b.Fatal(err)
	}
	return js, func() { conn.Close(); engine.Shutdown(); engine.WaitForShutdown() }
}

// furnish archives stories in a data folder, before a host opens it.
func furnish(b *testing.B, data string, list *roster.Roster, stories int) {
	b.Helper()
	js, shut := alone(b, data, false)
	defer shut()
	l, err := ledger.OpenJetStream(b.Context(), js, 1)
	if err != nil {
		b.Fatal(err)
	}
	policies, began := list.Policies(), time.Now().Add(-24*time.Hour)
	var work errgroup.Group
	work.SetLimit(512) // they are written together
	for n := range stories {
		work.Go(func() error {
			p, at := policies[n%len(policies)], began.Add(time.Duration(n)*time.Millisecond)
			s := havip.Story{
				Origin: havip.Origin{
					ID: fmt.Sprintf("%s%016x", p.Key().Shelf(), n), Event: havip.EventRef{Source: "bench", ID: fmt.Sprint(n), Type: "havip.health.failed"},
					HAVIP: p.Key(), Name: p.Name, StartedAt: at, Deadline: at.Add(p.Deadline),
				},
				Ending: havip.Ending{Outcome: havip.Attached, EndedAt: at.Add(3 * time.Second)},
			}
			if n < len(policies) { // each has had one
				if _, err := havip.Save(b.Context(), l, p.Key().String(), havip.Record{Story: &s}, 0); err != nil {
					return err
				}
			}
			return l.Archive(b.Context(), s)
		})
	}
	if err := work.Wait(); err != nil {
		b.Fatal(err)
	}
}
