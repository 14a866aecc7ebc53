package host_test

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/ledger"
	"havip-functions/shared/ledger/ledgertest"
	"havip-functions/shared/runtime/host"
)

// TestMain runs the tests, or is a node of their cluster.
func TestMain(m *testing.M) {
	ledgertest.BeNode()
	os.Exit(m.Run())
}

func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for end := time.After(60 * time.Second); !so(); {
		select {
		case <-every.C:
		case <-end:
			t.Fatal("it never comes true: " + what)
		}
	}
}

// A host is ready while its requests are taken, and not before: through a loss of
// quorum and back, and without the stream.
func TestReadyMeansThatRequestsAreTaken(t *testing.T) {
	nodes := ledgertest.StartNodes(t)
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	h := serve(t, simulated(t), host.Config{NATS: ledger.NATS{URLs: nodes.URLs()}, Log: log})
	ready := func() bool {
		status, _ := ask(t, h, http.MethodGet, "/readyz", "")
		return status == http.StatusOK
	}
	until(t, "ready at first", ready)
	nodes[1].Kill()
	until(t, "ready with two of three", ready)
	nodes[2].Kill()
	until(t, "not ready with one of three", func() bool { return !ready() })
	nodes[1].Start()
	until(t, "ready with two again", ready)
	if status, v := ask(t, h, http.MethodPost, "/events", started("1")); status != http.StatusAccepted {
		t.Errorf("it says that it is ready, and answers an event with %d %v", status, v)
	}

	conn, err := nats.Connect(nodes.URLs())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the stream of requests is gone", func() bool { // the cluster may still be busy with itself
		err := js.DeleteStream(t.Context(), "HAVIP-REQUESTS")
		return err == nil || errors.Is(err, jetstream.ErrStreamNotFound)
	})
	if ready() {
		t.Error("ready without a stream of requests")
	}
}
