package main

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// doctor says whether what a cluster has survives a node.
func TestDoctorOfACluster(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2, 1)
	examine := func(at string, more ...string) string {
		return havipRuns(t, f.env, append([]string{"doctor", "--host", f.copies[0].url(), "--roster", f.roster, "--nats", at}, more...)...).out
	}
	has := func(says, want string) {
		t.Helper()
		if !strings.Contains(says, want) {
			t.Errorf("it does not say %q:\n%s", want, says)
		}
	}
	says := examine(f.nodes.URLs())
	for _, stream := range []string{"HAVIP-REQUESTS", "HAVIP-OUTCOMES", "KV_havip-ledger", "KV_havip-stories"} {
		has(says, "ok  stream "+stream+": 3 copies, n")
	}
	has(says, "unknown  cluster's disks")
	f.nodes[2].Kill()
	eventually(t, "a node that is missed", func() bool {
		return strings.Contains(examine(f.nodes.URLs()), "n2 is away; start it: without one more nothing is written")
	})
	for _, synced := range []bool{true, false} {
		s := monitored(t, synced)
		says := examine(s.ClientURL(), "--nats-monitor", "http://"+s.MonitorAddr().String()+"/")
		has(says, "failed  cluster: it has no stream of ours")
		if synced {
			has(says, "ok  node lone: NATS 2.")
		} else {
			has(says, "failed  node lone: it syncs every 2m0s")
		}
		d := start(t, f.env, "serve", "--addr", "127.0.0.1:0", "--nats", s.ClientURL(), "--roster", f.roster)
		has(examine(s.ClientURL()), "failed  stream HAVIP-REQUESTS: 1 copy of it")
		d.stop(t)
		ran := havipRuns(t, f.env, "serve", "--addr", "127.0.0.1:0", "--nats", s.ClientURL(), "--replicas", "3", "--roster", f.roster)
		has(ran.err, "replicas > 1 not supported in non-clustered mode")
	}
	has(havipRuns(t, f.env, "serve", "--data", t.TempDir(), "--replicas", "3").err, "--replicas must be 1 to 5")
	has(examine("nats://127.0.0.1:1"), "failed  cluster: NATS at 127.0.0.1:1: ")
	has(examine(f.nodes.URLs(), "--nats-monitor", "http://127.0.0.1:1"), "give its monitoring address")
}

// monitored is a NATS of one node that tells of itself.
func monitored(t *testing.T, synced bool) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		ServerName: "lone", Host: "127.0.0.1", Port: -1, HTTPHost: "127.0.0.1", HTTPPort: -1,
		NoLog: true, NoSigs: true, JetStream: true, StoreDir: t.TempDir(), SyncAlways: synced,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.StartMonitoring(); err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("no NATS")
	}
	return s
}
