package main

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"havip-functions/shared/ledger/ledgertest"
	"havip-functions/shared/simulator"
)

// endpoint is the address of a managed Redis: it leads to whoever is the primary.
type endpoint struct {
	net.Listener

	mu      sync.Mutex
	primary string
	open    []net.Conn
}

func openEndpoint(t *testing.T, primary string) *endpoint {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{Listener: l, primary: primary}
	t.Cleanup(func() { l.Close(); e.leadTo("") })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			e.join(from)
		}
	}()
	return e
}

// join connects a client with the primary.
func (e *endpoint) join(from net.Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	to, err := net.Dial("tcp", e.primary)
	if err != nil {
		from.Close()
		return
	}
	e.open = append(e.open, from, to)
	for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			io.Copy(pair[0], pair[1])
			pair[0].Close()
		}()
	}
}

// leadTo makes another the primary, and cuts those off who had the one before.
func (e *endpoint) leadTo(primary string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.primary = primary
	for _, conn := range e.open {
		conn.Close()
	}
	e.open = nil
}

// A replica takes over under load, and has nothing of what was written last, though
// it was acknowledged. Each story has one outcome all the same, and one attach had an
// effect; whether it was its own some stories no longer know. One whose follow-up is
// ahead of what is left of its record waits for the sweep.
func TestRedisFailsOver(t *testing.T) {
	t.Parallel()
	primary := ledgertest.Redis(t)
	host, port, _ := net.SplitHostPort(primary.Host)
	replica := ledgertest.Redis(t, "--replicaof", host, port)
	admin := redis.NewClient(&redis.Options{Addr: replica.Host})
	defer admin.Close()
	eventually(t, "the replica has caught up", func() bool {
		return strings.Contains(admin.Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	at := openEndpoint(t, primary.Host)
	f, c, all := underLoad(t, "HAVIP_LEDGER=redis://"+at.Addr().String())
	eventually(t, "many stories are under way", func() bool { return c.effects() > 50 })
	if err := admin.ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	known := c.effects()
	<-time.After(time.Second)
	eventually(t, "only the primary knows of some", func() bool { return c.effects() > known+10 })
	primary.Kill()
	t.Logf("the replica knows of %d attaches, and of the next %d it does not", known, c.effects()-known)
	at.leadTo(replica.Host)
	for _, after := range []time.Duration{15, 40} { // as the timer's come
		f.async(call{function: "havip-sweep", payload: fmt.Appendf(nil, `{"specversion":"1.0","id":"sweep-%d","source":"/timer","type":"havip.sweep"}`, after)}, after*time.Second)
	}
	f.onceEach(c, all, good...)
}

// effects is how many calls changed a HAVIP.
func (c clouds) effects() (many int) {
	for _, call := range c.Calls(simulator.CallFilter{}) {
		if call.Effect {
			many++
		}
	}
	return many
}
