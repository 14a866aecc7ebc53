package host_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/ledger/ledgertest"
	"havip-functions/shared/runtime/host"
)

// cluster is three nodes of NATS on loopback.
type cluster struct {
	*testing.T
	nodes  [3]*server.Server
	opts   [3]*server.Options
	routes []*url.URL
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{T: t}
	for i := range c.nodes {
		c.opts[i] = &server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: freePort(t), JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "havip", Host: "127.0.0.1", Port: freePort(t)},
		}
		c.routes = append(c.routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", c.opts[i].Cluster.Port)})
	}
	for i := range c.nodes {
		c.start(i)
	}
	for _, n := range c.nodes {
		if !n.ReadyForConnections(20 * time.Second) {
			t.Fatal("no NATS")
		}
	}
	t.Cleanup(func() {
		for _, n := range c.nodes {
			n.Shutdown()
		}
	})
	c.until("the cluster has a leader", func() bool {
		return c.nodes[0].JetStreamIsLeader() || c.nodes[1].JetStreamIsLeader() || c.nodes[2].JetStreamIsLeader()
	})
	return c
}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := strconv.Atoi(ledgertest.Port(t))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func (c *cluster) start(i int) {
	c.Helper()
	o := *c.opts[i]
	o.Routes = c.routes
	var err error
	if c.nodes[i], err = server.NewServer(&o); err != nil {
		c.Fatal(err)
	}
	c.nodes[i].Start()
}

func (c *cluster) stop(i int) {
	c.nodes[i].Shutdown()
	c.nodes[i].WaitForShutdown()
}

func (c *cluster) urls() string {
	var all []string
	for _, o := range c.opts {
		all = append(all, fmt.Sprintf("nats://127.0.0.1:%d", o.Port))
	}
	return strings.Join(all, ",")
}

func (c *cluster) until(what string, so func() bool) {
	c.Helper()
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for end := time.After(60 * time.Second); !so(); {
		select {
		case <-every.C:
		case <-end:
			c.Fatal("it never comes true: " + what)
		}
	}
}

// A host is ready while its requests are taken, and not before: through a loss of
// quorum and back, and without the stream.
func TestReadyMeansThatRequestsAreTaken(t *testing.T) {
	c := newCluster(t)
	h := serve(t, simulated(t), host.Config{NATS: c.urls()})
	ready := func() bool {
		status, _ := ask(t, h, http.MethodGet, "/readyz", "")
		return status == http.StatusOK
	}
	c.until("ready at first", ready)
	c.stop(1)
	c.until("ready with two of three", ready)
	c.stop(2)
	c.until("not ready with one of three", func() bool { return !ready() })
	c.start(1)
	c.until("ready with two again", ready)
	if status, v := ask(t, h, http.MethodPost, "/events", started("1")); status != http.StatusAccepted {
		t.Errorf("it says that it is ready, and answers an event with %d %v", status, v)
	}

	conn, err := nats.Connect(c.urls())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	c.until("the stream of requests is gone", func() bool { // the cluster may still be busy with itself
		err := js.DeleteStream(t.Context(), "HAVIP-REQUESTS")
		return err == nil || errors.Is(err, jetstream.ErrStreamNotFound)
	})
	if ready() {
		t.Error("ready without a stream of requests")
	}
}
