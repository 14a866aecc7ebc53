package ledger_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"

	"havip-functions/shared/havip"
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

const password = "a-password"

func startRedis(t testing.TB) (host string) {
	return ledgertest.Redis(t, "--requirepass", password).Host
}

func openRedis(t testing.TB) ledger.Ledger { return redisAt(t, startRedis(t)) }

func redisAt(t testing.TB, host string) ledger.Ledger {
	t.Helper()
	l, err := ledger.OpenRedis(t.Context(), "redis://:"+password+"@"+host+"/0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestOpenRedisKeepsThePassword(t *testing.T) {
	for name, address := range map[string]string{
		"nobody listens": "redis://:" + password + "@127.0.0.1:1/0",
		"no address":     "redis://:" + password + "@host:not a port/0",
		"another scheme": "http://:" + password + "@127.0.0.1:1",
	} {
		if _, err := ledger.OpenRedis(t.Context(), address); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v", name, err)
		}
	}
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
	for name, tt := range map[string]struct {
		ledger.Ledger
		gone func()
	}{
		"JetStream": {engine, conn.Close},
		"Redis":     {server, func() { server.Close() }},
		"DynamoDB":  {table, dynalite.Kill},
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

// What is forgotten is forgotten by Redis itself: every key of ours expires, but for
// the records, since a freeze in one ends when a person said so.
func TestRedisForgets(t *testing.T) {
	host := startRedis(t)
	l := redisAt(t, host)
	if _, err := l.Save(t.Context(), "baidu.bj.havip-1", []byte("{}"), 0); err != nil {
		t.Fatal(err)
	}
	if err := l.Archive(t.Context(), story("s", at)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Bury(t.Context(), ledger.NewDeadLetter([]byte("x"), "no event", at)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Save(t.Context(), havip.EventKey("1"), []byte("{}"), 0); err != nil {
		t.Fatal(err)
	}
	stray(t, l, "5abcde5a0000000000000001", at)
	client := redis.NewClient(&redis.Options{Addr: host, Password: password})
	defer client.Close()
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 10 {
		t.Fatalf("the keys are %v, %v", keys, err)
	}
	for _, key := range keys {
		want := ledger.Keep
		switch {
		case strings.HasPrefix(key, "havip:ledger:event."), strings.HasPrefix(key, "havip:ledger:stray."):
			want = 48 * time.Hour
		case strings.HasPrefix(key, "havip:ledger:"):
			want = -1
		}
		if want < 0 {
			if left := client.TTL(t.Context(), key).Val(); left != want {
				t.Errorf("%s expires in %s", key, left)
			}
			continue
		}
		if left := client.TTL(t.Context(), key).Val(); left > want || left < want-time.Minute {
			t.Errorf("%s expires in %s, want %s", key, left, want)
		}
	}
}
