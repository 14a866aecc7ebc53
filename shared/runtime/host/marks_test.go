package host_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/ledger"
	"havip-functions/shared/runtime/host"
)

// notes is a log that may be read while it is written.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (n *notes) Write(line []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(line)
}

func (n *notes) has(words string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Contains(n.text.String(), words)
}

// A cluster that loses a record, and writes on, is told as one.
func TestAClusterThatLosesIsTold(t *testing.T) {
	t.Parallel()
	engine, log := oneNode(t), &notes{}
	h := serve(t, simulated(t), host.Config{NATS: ledger.NATS{URLs: engine.ClientURL()}, Log: slog.New(slog.NewTextHandler(log, nil))})
	outcome(t, h, first(t, h, "1"))
	conn, err := nats.Connect(engine.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	records, err := js.Stream(t.Context(), "KV_havip-ledger")
	if err != nil {
		t.Fatal(err)
	}
	began := make(chan struct{})
	asked, err := conn.Subscribe("$JS.API.STREAM.LIST", func(*nats.Msg) { // it has looked once
		select {
		case began <- struct{}{}:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	<-began
	<-began
	_ = asked.Unsubscribe() // the connection ends anyway
	if err := records.DeleteMsg(t.Context(), records.CachedInfo().State.LastSeq); err != nil {
		t.Fatal(err)
	}
	until(t, "the loss is told", func() bool { return log.has("the cluster has lost writes") && log.has("$KV.havip-ledger.") })
	if log.has("REQUESTS had") {
		t.Error("what was done counts as lost")
	}
}
