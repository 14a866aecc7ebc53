package host

import (
	"maps"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"havip-functions/shared/flow"
)

// Limits bound what one source may take of the host: an IPv4 address, or the
// /64 of an IPv6 one. Zeros mean 500 requests a second and 128 connections.
type Limits struct {
	Rate        float64 // requests a second; twice as many at once
	Connections int

	// Loopback holds loopback addresses to the limits too. They are exempt
	// otherwise: a proxy that stands there speaks for many.
	Loopback bool
}

const (
	defaultRate        = 500
	defaultConnections = 128
	maxSources         = 10_000 // remembered at a time
)

// sources counts what each source takes.
type sources struct {
	limits Limits

	mu    sync.Mutex
	known map[netip.Prefix]*source
}

type source struct {
	requests    *rate.Limiter
	connections int
}

func newSources(l Limits) *sources {
	if l.Rate == 0 {
		l.Rate = defaultRate
	}
	if l.Connections == 0 {
		l.Connections = defaultConnections
	}
	return &sources{limits: l, known: map[netip.Prefix]*source{}}
}

// prefix is the source of an address, and whether it is limited at all.
func (s *sources) prefix(address string) (netip.Prefix, bool) {
	from, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Prefix{}, true // all that have none share one
	}
	ip, bits := from.Addr().Unmap(), 64
	if ip.Is4() {
		bits = 32
	}
	p, _ := ip.WithZone("").Prefix(bits) // bits fit
	return p, s.limits.Loopback || !ip.IsLoopback()
}

// find returns the source; the caller holds the mutex. Where there are too many,
// those without a connection are forgotten: a little lenience bounds our memory.
func (s *sources) find(p netip.Prefix) *source {
	if known, ok := s.known[p]; ok {
		return known
	}
	if len(s.known) >= maxSources {
		maps.DeleteFunc(s.known, func(_ netip.Prefix, one *source) bool { return one.connections == 0 })
	}
	one := &source{requests: rate.NewLimiter(rate.Limit(s.limits.Rate), max(1, int(2*s.limits.Rate)))}
	s.known[p] = one
	return one
}

// limit answers 429 to a source that asks too often.
func (s *sources) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.allow(r.RemoteAddr) {
			w.Header().Set("Retry-After", "1")
			flow.Problem(w, http.StatusTooManyRequests, "", "too many requests from your address; slow down, and send it again")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *sources) allow(address string) bool {
	p, limited := s.prefix(address)
	if !limited {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(p).requests.AllowN(time.Now(), 1)
}

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
		p, limited := l.sources.prefix(conn.RemoteAddr().String())
		if !limited {
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
