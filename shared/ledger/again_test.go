package ledger_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger/ledgertest"
)

// Who was not answered, and asks again, did not lose his own compare-and-set: here the
// network holds both back, and then lets them through.
func TestALateReplyIsNoLostCompareAndSet(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the engine is not ready")
	}
	wire := ledgertest.Through(t, s.Addr().String())
	conn, err := nats.Connect(wire.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	l := onCluster(t, conn, 1)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	const key = "baidu.bj.havip-1"
	wire.Cut()
	time.AfterFunc(3*time.Second, wire.Mend) // by then it was asked twice
	saved, err := havip.Save(t.Context(), l, key, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if value, rev, err := havip.Load[int](t.Context(), l, key); err != nil || value != 1 || rev != saved {
		t.Errorf("there is %d at %d, %v; written at %d", value, rev, err, saved)
	}
	if stream, err := js.Stream(t.Context(), "KV_havip-ledger"); err != nil || stream.CachedInfo().State.LastSeq != 1 {
		t.Errorf("it was written more than once: %v", err)
	}
	if _, err := havip.Save(t.Context(), l, key, 2, 0); err == nil {
		t.Error("another's compare-and-set is no longer lost")
	}
}
