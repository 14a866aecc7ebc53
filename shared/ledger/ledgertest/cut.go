package ledgertest

import (
	"net"
	"sync"
	"testing"
)

// Wire is a network between a client and a server, which may be cut: then nothing
// arrives, and nobody is told. What was under way arrives once it is mended.
type Wire struct {
	Addr string

	mu   sync.Mutex
	open chan struct{} // closed while bytes go through
}

// Through lays a wire to a server, until the test ends.
func Through(t testing.TB, server string) *Wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &Wire{Addr: l.Addr().String(), open: make(chan struct{})}
	close(w.open)
	var ends sync.Map
	t.Cleanup(func() {
		_ = l.Close()
		w.Mend()
		ends.Range(func(end, _ any) bool { _ = end.(net.Conn).Close(); return true })
	})
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				<-w.through()
				to, err := net.Dial("tcp", server)
				if err != nil {
					_ = from.Close() // as the server would
					return
				}
				ends.Store(from, nil)
				ends.Store(to, nil)
				go w.carry(from, to)
				w.carry(to, from)
			}()
		}
	}()
	return w
}

func (w *Wire) carry(to, from net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }() // one of them has ended
	for bytes := make([]byte, 32<<10); ; {
		n, err := from.Read(bytes)
		<-w.through()
		if _, failed := to.Write(bytes[:n]); failed != nil || err != nil {
			return
		}
	}
}

func (w *Wire) through() chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open
}

// Cut lets nothing through any more.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = make(chan struct{})
}

// Mend lets everything through again.
func (w *Wire) Mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.open:
	default:
		close(w.open)
	}
}
