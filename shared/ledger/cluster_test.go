package ledger_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/ledger/ledgertest"
)

// cluster starts three NATS servers on loopback, and returns a connection to them.
func cluster(t *testing.T) (*nats.Conn, []*server.Server) {
	t.Helper()
	routes := []string{ledgertest.Port(t), ledgertest.Port(t), ledgertest.Port(t)}
	var all []*server.Server
	for n, route := range routes {
		port, _ := strconv.Atoi(route)
		var urls string
		for _, r := range routes {
			urls += "nats://127.0.0.1:" + r + ","
		}
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", n), Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true,
			JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
			Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: port}, Routes: server.RoutesFromStr(urls[:len(urls)-1]),
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		all = append(all, s)
	}
	for _, s := range all {
		if !s.ReadyForConnections(30 * time.Second) {
			t.Fatal("a server does not start")
		}
	}
	conn, err := nats.Connect(all[0].ClientURL(), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn, all
}

// onCluster opens the ledger once the cluster has found its leader.
func onCluster(t *testing.T, conn *nats.Conn, replicas int) *ledger.JetStream {
	t.Helper()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	every := time.NewTicker(200 * time.Millisecond)
	defer every.Stop()
	for range 150 {
		var l *ledger.JetStream
		if l, err = ledger.OpenJetStream(t.Context(), js, replicas); err == nil {
			return l
		}
		<-every.C
	}
	t.Fatal(err)
	return nil
}

// On three nodes a lost compare-and-set is told as one, and who comes when a node
// is away, or with nothing but an address, takes no replica from the streams.
func TestCluster(t *testing.T) {
	t.Parallel()
	conn, servers := cluster(t)
	l := onCluster(t, conn, 3)
	t.Run("values", func(t *testing.T) { testRecords(t, l) })
	t.Run("compare and set", func(t *testing.T) { testCompareAndSet(t, l) })
	t.Run("one of many", func(t *testing.T) { testOneOfMany(t, l) })
	t.Run("create", func(t *testing.T) { testCreate(t, l) })
	t.Run("stories", func(t *testing.T) { testStories(t, l) })

	servers[2].Shutdown()
	servers[2].WaitForShutdown()
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
}
