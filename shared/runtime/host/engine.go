package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"havip-functions/shared/ledger"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// engine is the NATS that we lean on: embedded in this process, or a cluster.
type engine struct {
	conn     *nats.Conn
	embedded *server.Server // nil where it is a cluster
	lock     *os.File       // on the embedded one's folder
	replicas int
}

// openEngine connects to a cluster, or starts an engine of its own on
// the folder data. An embedded one writes to disk before it acknowledges.
func openEngine(at ledger.NATS, replicas int, data string) (*engine, error) {
	if at.URLs != "" {
		conn, err := at.Connect()
		if err != nil {
			return nil, fmt.Errorf("%w; check --nats", err)
		}
		if replicas == 0 && len(conn.Servers()) >= 3 { // as the cluster told us of itself
			replicas = 3
		}
		return &engine{conn: conn, replicas: max(1, replicas)}, nil
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w; give a writable one with --data", err)
	}
	held, err := lock(filepath.Join(data, "lock"))
	if err != nil {
		return nil, err
	}
	s, err := startServer(data)
	if err != nil {
		return nil, err
	}
	conn, err := nats.Connect("", nats.InProcessServer(s), nats.Name("havip"))
	if err != nil {
		s.Shutdown()
		return nil, fmt.Errorf("engine: %w", err)
	}
	return &engine{conn: conn, embedded: s, lock: held, replicas: 1}, nil
}

// patience is how long we wait for an engine to open its streams: a slow disk has to
// sync a dozen times first, and waiting is all that is left to do.
func (e *engine) patience() time.Duration {
	if e.embedded != nil {
		return 5 * time.Minute
	}
	return 30 * time.Second
}

// maxPayload is what the embedded engine takes at once: the largest batch that
// can't be read, as a dead letter in base64.
const maxPayload = 4 << 20

func startServer(data string) (*server.Server, error) {
	s, err := server.NewServer(&server.Options{
		ServerName: "havip", DontListen: true, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: data, SyncAlways: true, // an acknowledgement means durable
		MaxPayload:        maxPayload,
		JetStreamMaxStore: 1 << 50, // what streams may grow to is not set aside: a small disk does for small use
	})
	if err != nil {
		return nil, fmt.Errorf("engine in %s: %w", data, err)
	}
	s.Start()
	if !s.ReadyForConnections(30*time.Second) || !s.JetStreamEnabled() {
		s.Shutdown()
		return nil, errors.New("engine in " + data + ": its store can't be opened; is the disk full?")
	}
	return s, nil
}

func (e *engine) close() {
	e.conn.Close()
	if e.embedded != nil {
		e.embedded.Shutdown()
		e.embedded.WaitForShutdown()
		_ = e.lock.Close() // which releases it
	}
}
