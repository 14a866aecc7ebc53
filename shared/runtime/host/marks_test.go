package host_test

import (
	"bytes"
	"fmt"
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

// watching is a host at a cluster that has looked at its marks once three stories have
// ended.
func watching(t *testing.T) (log *notes, js jetstream.JetStream) {
	t.Helper()
	engine, log := oneNode(t), &notes{}
	h := serve(t, simulated(t), host.Config{NATS: ledger.NATS{URLs: engine.ClientURL()}, Log: slog.New(slog.NewTextHandler(log, nil))})
	for _, event := range []string{"1", "2", "3"} {
		outcome(t, h, first(t, h, event))
	}
	conn, err := nats.Connect(engine.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if js, err = jetstream.New(conn); err != nil {
		t.Fatal(err)
	}
	began := make(chan struct{})
	asked, err := conn.Subscribe("$JS.API.STREAM.LIST", func(*nats.Msg) {
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
	return log, js
}

// A cluster that loses a record, or a story between others, and writes on, is told as one.
func TestAClusterThatLosesIsTold(t *testing.T) {
	t.Parallel()
	log, js := watching(t)
	for name, place := range map[string]func(jetstream.StreamState) uint64{
		"KV_havip-ledger":  func(s jetstream.StreamState) uint64 { return s.LastSeq },
		"KV_havip-stories": func(s jetstream.StreamState) uint64 { return s.FirstSeq + 1 },
	} {
		s, err := js.Stream(t.Context(), name)
		if err == nil {
			err = s.DeleteMsg(t.Context(), place(s.CachedInfo().State))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the loss is told", func() bool {
		return log.has("the cluster has lost writes") && log.has("$KV.havip-ledger.") && log.has("KV_havip-stories kept 3 writes and keeps 2")
	})
	if log.has("REQUESTS") || log.has("another write") {
		t.Error("what was done counts as lost")
	}
}

// What was lost is told where as much has been written in its place.
func TestWhatIsWrittenOverIsTold(t *testing.T) {
	t.Parallel()
	log, js := watching(t)
	const stories = "KV_havip-stories"
	s, err := js.Stream(t.Context(), stories)
	if err != nil {
		t.Fatal(err)
	}
	was := s.CachedInfo()
	if err := js.DeleteStream(t.Context(), stories); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), was.Config); err != nil {
		t.Fatal(err)
	}
	for n := range was.State.LastSeq + 1 {
		if _, err := js.Publish(t.Context(), fmt.Sprintf("$KV.havip-stories.another.%d", n), nil); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the loss is told", func() bool { return log.has("the cluster has lost writes") && log.has(stories) })
}
