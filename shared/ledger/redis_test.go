package ledger_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/ledger/ledgertest"
)

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

// redisCluster starts three primaries and a replica of the first, with more arguments.
func redisCluster(t testing.TB, args ...string) (hosts []string, replica *redis.Client) {
	t.Helper()
	var nodes []*redis.Client
	for range 4 {
		s := ledgertest.Redis(t, append(args, "--requirepass", password, "--masterauth", password, "--cluster-enabled", "yes", "--cluster-port", ledgertest.Port(t))...)
		hosts = append(hosts, s.Host)
		nodes = append(nodes, redis.NewClient(&redis.Options{Addr: s.Host, Password: password}))
		t.Cleanup(func() { nodes[len(nodes)-1].Close() })
	}
	do := func(n int, args ...any) {
		t.Helper()
		if err := nodes[n].Do(t.Context(), args...).Err(); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
	}
	for n := range nodes {
		if n < 3 {
			do(n, "CLUSTER", "ADDSLOTSRANGE", n*6000, min(n*6000+5999, 16383))
		}
		if n > 0 {
			host, port, _ := net.SplitHostPort(hosts[n])
			do(0, "CLUSTER", "MEET", host, port, nodes[n].ConfigGet(t.Context(), "cluster-port").Val()["cluster-port"])
		}
	}
	first := told(t, nodes[0], "CLUSTER", "MYID")
	until(t, "the nodes know each other", func() bool { return strings.Contains(told(t, nodes[3], "CLUSTER", "NODES"), first) })
	do(3, "CLUSTER", "REPLICATE", first)
	until(t, "the cluster is up, and the replica has caught up", func() bool {
		for n := range nodes {
			if !strings.Contains(told(t, nodes[n], "CLUSTER", "INFO"), "cluster_state:ok") {
				return false
			}
		}
		return strings.Contains(told(t, nodes[3], "INFO", "replication"), "master_link_status:up")
	})
	return hosts, nodes[3]
}

func told(t testing.TB, node *redis.Client, ask ...any) string {
	t.Helper()
	text, err := node.Do(t.Context(), ask...).Text()
	if err != nil {
		t.Fatalf("%v: %v", ask, err)
	}
	return text
}

func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for range 1200 {
		if done() {
			return
		}
		<-every.C
	}
	t.Fatalf("it took too long: %s", what)
}

func openRedisCluster(t testing.TB) ledger.Ledger {
	hosts, _ := redisCluster(t)
	return redisAt(t, hosts[1])
}

// Replicas lag, so nobody reads from them.
func TestRedisReadsPrimaries(t *testing.T) {
	t.Parallel()
	hosts, replica := redisCluster(t)
	if _, err := ledger.OpenRedis(t.Context(), "redis://:"+password+"@"+hosts[0]+"?read_only=true"); err == nil {
		t.Error("it takes an address that would read from replicas")
	}
	l := redisAt(t, hosts[0])
	for n := range 50 {
		if _, _, err := l.Load(t.Context(), havip.EventKey(string(rune('a'+n%26)))); err != nil {
			t.Fatal(err)
		}
	}
	if stats := told(t, replica, "INFO", "commandstats"); strings.Contains(stats, "hmget") {
		t.Errorf("the replica was asked: %s", stats)
	}
}

// Who would lose what must not be forgotten is refused, with what to do.
func TestOpenRedisRefuses(t *testing.T) {
	t.Parallel()
	evicts := ledgertest.Redis(t, "--maxmemory-policy", "volatile-lru").Host
	primary := ledgertest.Redis(t).Host
	host, port, _ := net.SplitHostPort(primary)
	replica := ledgertest.Redis(t, "--replicaof", host, port).Host
	shy := ledgertest.Redis(t, "--user", "havip", "on", ">"+password, "~*", "+@all", "-info").Host
	cluster, _ := redisCluster(t)
	forgetful, _ := redisCluster(t, "--maxmemory-policy", "allkeys-lru")
	for address, want := range map[string]string{
		"redis://" + evicts:                              evicts + " forgets what it should keep where its memory is full; set its maxmemory-policy to noeviction",
		"redis://" + replica:                             replica + " is a replica; give the address of the primary",
		"redis://havip:" + password + "@" + shy:          "ACL SETUSER",
		"redis://:" + password + "@" + cluster[0] + "/1": "SELECT is not allowed in cluster mode",
		"redis://:" + password + "@" + forgetful[0] + "": "noeviction",
		"redis://:" + password + "@" + primary:           "",
	} {
		l, err := ledger.OpenRedis(t.Context(), address)
		if want == "" && err == nil {
			l.Close()
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}

// The user of docs/ledgers.md may do what is needed.
func TestRedisUser(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/ledgers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, user, found := strings.Cut(string(text), "ACL SETUSER havip on >PASSWORD ")
	if user, _, _ = strings.Cut(user, "\n"); !found {
		t.Fatal("docs/ledgers.md names no user")
	}
	host := ledgertest.Redis(t, append([]string{"--user", "havip", "on", ">" + password}, strings.Fields(user)...)...).Host
	l, err := ledger.OpenRedis(t.Context(), "redis://havip:"+password+"@"+host)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	testRecords(t, l)
	testCreate(t, l)
	testStories(t, l)
	testDeadLetters(t, l)
	testClock(t, l)
	testQuotas(t, l)
}

// A Redis that has become a replica takes no writes: it is gone, and not a mistake.
func TestRedisBecomesAReplica(t *testing.T) {
	t.Parallel()
	primary, other := startRedis(t), startRedis(t)
	l := redisAt(t, primary)
	node := redis.NewClient(&redis.Options{Addr: primary, Password: password})
	defer node.Close()
	host, port, _ := net.SplitHostPort(other)
	told(t, node, "REPLICAOF", host, port)
	if _, err := l.Save(t.Context(), "baidu.bj.havip-1", []byte("{}"), 0); !errors.Is(err, ledger.ErrGone) {
		t.Errorf("saved: %v", err)
	}
}

// What the client says of its connections stands in our log, as JSON.
func TestRedisLog(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	var said lines
	slog.SetDefault(slog.New(slog.NewJSONHandler(&said, nil)))
	s := ledgertest.Redis(t, "--requirepass", password)
	l := redisAt(t, s.Host)
	s.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for range 20 {
		if _, _, err := l.Load(ctx, "baidu.bj.havip-1"); err == nil {
			t.Fatal("it loaded all the same")
		}
	}
	until(t, "the client says something", func() bool { return len(said.all()) > 0 })
	for line := range bytes.Lines(said.all()) {
		var entry struct{ Msg, Level string }
		if err := json.Unmarshal(line, &entry); err != nil || !strings.HasPrefix(entry.Msg, "Redis: ") || entry.Level != "WARN" {
			t.Errorf("it says %s", line)
		}
	}
}

// lines is what many write at once.
type lines struct {
	mu   sync.Mutex
	text []byte
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, b...)
	return len(b), nil
}

func (l *lines) all() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.text)
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
