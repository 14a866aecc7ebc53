package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/ledger"
	"havip-functions/shared/ledger/ledgertest"
)

func openJetStream(t testing.TB) ledger.Ledger {
	t.Helper()
	js, err := jetstream.New(startNATS(t))
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.OpenJetStream(t.Context(), js, 1)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// startNATS starts an engine in this process.
func startNATS(t testing.TB) *nats.Conn {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		DontListen: true, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the engine is not ready")
	}
	conn, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// The kinds of failure: who has no time is told that the ledger is slow, and who
// has no ledger any more that it is gone.
func TestKinds(t *testing.T) {
	t.Parallel()
	conn := startNATS(t)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := ledger.OpenJetStream(t.Context(), js, 1)
	if err != nil {
		t.Fatal(err)
	}
	server := redisAt(t, startRedis(t)).(*ledger.Redis)
	dynalite := ledgertest.DynamoDB(t)
	table := dynamoDBAt(t, dynalite)
	ots := openTablestore(t).(tablestoreLedger)
	for name, tt := range map[string]struct {
		ledger.Ledger
		gone func()
	}{
		"JetStream":  {engine, conn.Close},
		"Redis":      {server, func() { server.Close() }},
		"DynamoDB":   {table, dynalite.Kill},
		"Tablestore": {ots, ots.Kill},
	} {
		t.Run(name, func(t *testing.T) {
			over, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
			defer cancel()
			_, _, read := tt.Load(over, "baidu.bj.havip-1")
			_, written := tt.Save(over, "baidu.bj.havip-1", []byte("{}"), 0)
			if !errors.Is(read, ledger.ErrSlow) || !errors.Is(written, ledger.ErrSlow) || errors.Is(written, ledger.ErrGone) {
				t.Errorf("out of time: %v, %v", read, written)
			}
			tt.gone()
			_, _, read = tt.Load(t.Context(), "baidu.bj.havip-1")
			_, written = tt.Save(t.Context(), "baidu.bj.havip-1", []byte("{}"), 0)
			if !errors.Is(read, ledger.ErrGone) || !errors.Is(written, ledger.ErrGone) || errors.Is(written, ledger.ErrSlow) {
				t.Errorf("gone: %v, %v", read, written)
			}
		})
	}
}
