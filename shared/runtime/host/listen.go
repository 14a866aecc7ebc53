package host

import (
	"net"
	"net/netip"
	"sync"
)

// listen closes at once what a source opens beyond its connections.
func (s *sources) listen(l net.Listener) net.Listener { return limitedListener{l, s} }

type limitedListener struct {
	net.Listener
	sources *sources
}

func (l limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		p := prefix(conn.RemoteAddr().String())
		if l.sources.proxied(p) {
			return conn, nil
		}
		if l.sources.open(p) {
			return &countedConn{Conn: conn, closed: func() { l.sources.close(p) }}, nil
		}
		_ = conn.Close() // nothing was said on it
	}
}

func (s *sources) open(p netip.Prefix) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.find(p)
	if one.connections >= s.limits.Connections {
		return false
	}
	one.connections++
	return true
}

func (s *sources) close(p netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.find(p).connections--
}

// countedConn tells once that it was closed.
type countedConn struct {
	net.Conn
	once   sync.Once
	closed func()
}

func (c *countedConn) Close() error {
	c.once.Do(c.closed)
	return c.Conn.Close()
}
