package host_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"havip-functions/shared/ledger"
	"havip-functions/shared/runtime/host"
)

// Where a cluster has no room left, events are refused and nothing is done; what is sent
// again is taken once there is room, and what had begun goes on.
func TestAFullClusterLosesNothing(t *testing.T) {
	t.Parallel()
	node, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true, JetStream: true, StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	node.Start()
	t.Cleanup(func() { node.Shutdown(); node.WaitForShutdown() })
	if !node.ReadyForConnections(30 * time.Second) {
		t.Fatal("no NATS")
	}
	sim := simulated(t)
	h := serve(t, sim, host.Config{NATS: ledger.NATS{URLs: node.ClientURL()}})
	begun := first(t, h, "1")
	has(t, node, 1)
	answer, err := http.Post("http://"+h.Addr+"/events", "application/cloudevents+json", strings.NewReader(started("2")))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("a full cluster answers %s, Retry-After %q", answer.Status, answer.Header.Get("Retry-After"))
	}
	has(t, node, -1)
	for _, story := range []string{begun, first(t, h, "2")} {
		if got := outcome(t, h, story)["outcome"]; got != "attached" {
			t.Errorf("%s ended as %v", story, got)
		}
	}
}

// has sets how many bytes a node has for us; -1 is all that it has.
func has(t *testing.T, node *server.Server, bytes int64) {
	t.Helper()
	err := node.GlobalAccount().UpdateJetStreamLimits(map[string]server.JetStreamAccountLimits{
		"": {MaxMemory: -1, MaxStore: bytes, MaxStreams: -1, MaxConsumers: -1},
	})
	if err != nil {
		t.Fatal(err)
	}
}
