package ledger_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/ledger/ledgertest"
)

// cluster starts three NATS servers, and returns a connection to them.
func cluster(t *testing.T) (*nats.Conn, ledgertest.Nodes) {
	t.Helper()
	all := ledgertest.StartNodes(t)
	conn, err := nats.Connect(all.URLs(), nats.MaxReconnects(-1), nats.DontRandomize())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn, all
}

func onCluster(t *testing.T, conn *nats.Conn, replicas int) *ledger.JetStream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.OpenJetStream(ctx, js, replicas)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// On three nodes a lost compare-and-set is told as one, and who comes when a node
// is away, or with nothing but an address, takes no replica from the streams.
func TestCluster(t *testing.T) {
	t.Parallel()
	conn, nodes := cluster(t)
	l := onCluster(t, conn, 3)
	t.Run("values", func(t *testing.T) { testRecords(t, l) })
	t.Run("compare and set", func(t *testing.T) { testCompareAndSet(t, l) })
	t.Run("one of many", func(t *testing.T) { testOneOfMany(t, l) })
	t.Run("create", func(t *testing.T) { testCreate(t, l) })
	t.Run("stories", func(t *testing.T) { testStories(t, l) })

	nodes[2].Kill()
	onCluster(t, conn, 1)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"KV_havip-ledger", "KV_havip-events", "KV_havip-strays", "KV_havip-stories", "KV_havip-dead", "KV_havip-letters"} {
		s, err := js.Stream(t.Context(), name)
		if err != nil || s.CachedInfo().Config.Replicas != 3 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := havip.Save(t.Context(), l, "baidu.bj.havip-two", 1, 0); err != nil {
		t.Errorf("with two of three nodes: %v", err)
	}
	t.Run("nobody leads", func(t *testing.T) { testNobodyLeads(t, js, l, nodes) })
}

// A node that knows of no leader says so at once, as one also does that was away and has
// not heard yet who leads: it is no answer, and somebody is asked again.
func testNobodyLeads(t *testing.T, js jetstream.JetStream, l ledger.Ledger, nodes ledgertest.Nodes) {
	records, err := js.Stream(t.Context(), "KV_havip-ledger")
	if err != nil {
		t.Fatal(err)
	}
	nodes[1].Kill()
	for refused := new(jetstream.APIError); !errors.As(err, &refused) || refused.Code != http.StatusServiceUnavailable; {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err = records.GetLastMsgForSubject(ctx, "$KV.havip-ledger.baidu.bj.havip-two")
		cancel()
	}
	read := make(chan error, 1)
	go func() {
		for began := time.Now(); ; began = time.Now() {
			if _, _, err := l.Load(t.Context(), "baidu.bj.havip-two"); err == nil || time.Since(began) < 5*time.Second {
				read <- err
				return
			}
		}
	}()
	nodes[1].Start()
	nodes[2].Start()
	if err := <-read; err != nil {
		t.Errorf("a read did not wait for a leader: %v", err)
	}
}
