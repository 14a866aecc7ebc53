package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Addrs are the simulator's three addresses, host:port. Port 0 picks a free one.
type Addrs struct {
	Alibaba string `json:"alibaba"`
	Baidu   string `json:"baidu"`
	Control string `json:"control"`
}

// Listening is a simulator on its sockets.
type Listening struct {
	Addrs Addrs // the actual ones

	servers []*http.Server
	running sync.WaitGroup
	mu      sync.Mutex
	failure error // the first that nobody asked for
}

// Serve listens and answers until the context ends or Close is called. It
// refuses any address that is not on loopback: whoever reaches a simulator
// commands it.
func Serve(ctx context.Context, addrs Addrs, s *Simulator) (*Listening, error) {
	l := &Listening{}
	for _, door := range []struct {
		name    string
		asked   string
		actual  *string
		handler http.Handler
	}{
		{"alibaba", addrs.Alibaba, &l.Addrs.Alibaba, s.Alibaba()},
		{"baidu", addrs.Baidu, &l.Addrs.Baidu, s.Baidu()},
		{"control", addrs.Control, &l.Addrs.Control, s.Control()},
	} {
		socket, err := listenLocally(ctx, door.asked)
		if err != nil {
			_ = l.Close()
			return nil, fmt.Errorf("simulator: %s address: %w", door.name, err)
		}
		*door.actual = socket.Addr().String()
		l.serve(socket, door.handler)
	}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	return l, nil
}

func listenLocally(ctx context.Context, addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("%q is not host:port; give one like 127.0.0.1:9101", addr)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%s is not on loopback; the simulator listens on 127.0.0.1 or [::1] only", addr)
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", net.JoinHostPort(host, port))
}

func (l *Listening) serve(socket net.Listener, h http.Handler) {
	// A cut connection is a panic that net/http would log.
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	l.servers = append(l.servers, server)
	l.running.Go(func() {
		if err := server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
			l.fail(err)
		}
	})
}

func (l *Listening) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure == nil {
		l.failure = err
	}
}

// Wait blocks until the simulator listens no more, and tells why where that was
// not asked for.
func (l *Listening) Wait() error {
	l.running.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failure
}

// Close stops listening and cuts what is under way.
func (l *Listening) Close() error {
	var errs []error
	for _, s := range l.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
