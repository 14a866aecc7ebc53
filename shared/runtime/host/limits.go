package host

import (
	"context"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"havip-functions/events"
	"havip-functions/shared/api"
	"havip-functions/shared/guard"
)

// Limits bound what one source may take of the host: an IPv4 address, or the
// /64 of an IPv6 one. Zeros mean 500 requests a second and 128 connections.
type Limits struct {
	Rate        float64 // requests a second; twice as many at once
	Connections int

	// Proxies may speak for others: each request counts for the address that they
	// name last in X-Forwarded-For, and their connections are not counted.
	Proxies []netip.Prefix
}

const (
	defaultRate        = 500
	defaultConnections = 128
	maxSources         = 10_000 // remembered at a time
)

// Bytes of bodies that are read and admitted at a time. Who has yet to prove himself
// by his body has a part of his own, so that nobody can keep those out who have; and
// no source has more than a share.
const (
	maxProven   = 32 << 20
	maxUnproven = 8 << 20
	maxOfSource = 4 << 20
)

// sources counts what each source takes.
type sources struct {
	limits           Limits
	guard            guard.Guard
	proven, unproven *semaphore.Weighted

	turned func(status int) // hears of who was turned away; may be nil

	mu    sync.Mutex
	known map[netip.Prefix]*source
}

type source struct {
	requests    *rate.Limiter
	bodies      *semaphore.Weighted
	connections int
}

func newSources(l Limits, g guard.Guard) *sources {
	if l.Rate == 0 {
		l.Rate = defaultRate
	}
	if l.Connections == 0 {
		l.Connections = defaultConnections
	}
	return &sources{
		limits: l, guard: g, known: map[netip.Prefix]*source{},
		proven: semaphore.NewWeighted(maxProven), unproven: semaphore.NewWeighted(maxUnproven),
	}
}

// prefix is the source of an address; all that have none share one.
func prefix(address string) netip.Prefix {
	from, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Prefix{}
	}
	return prefixOf(from.Addr())
}

func prefixOf(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	p, _ := ip.Prefix(bits) // bits fit
	return p
}

// proxied tells whether the source may speak for others.
func (s *sources) proxied(p netip.Prefix) bool {
	return slices.ContainsFunc(s.limits.Proxies, func(proxy netip.Prefix) bool { return proxy.Contains(p.Addr()) })
}

// speaker is the source that a request counts for: behind proxies of ours the
// last address that none of them has, since what stands before it is hearsay.
func (s *sources) speaker(r *http.Request) netip.Prefix {
	p := prefix(r.RemoteAddr)
	names := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(names) - 1; i >= 0 && s.proxied(p); i-- {
		ip, err := netip.ParseAddr(strings.TrimSpace(names[i]))
		if err != nil {
			break
		}
		p = prefixOf(ip)
	}
	return p
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
	one := &source{
		requests: rate.NewLimiter(rate.Limit(s.limits.Rate), max(1, int(2*s.limits.Rate))),
		bodies:   semaphore.NewWeighted(maxOfSource),
	}
	s.known[p] = one
	return one
}

// limit answers 429 to a source that asks too often, and holds back bodies while
// others fill the memory that is set aside for them.
func (s *sources) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := s.source(s.speaker(r))
		if !from.requests.Allow() {
			w.Header().Set("Retry-After", "1")
			api.Refuse(w, http.StatusTooManyRequests, "", "too many requests from your address; slow down, and send it again")
			return
		}
		release, ok := s.room(r, from)
		if !ok {
			w.Header().Set("Retry-After", "5")
			api.Refuse(w, http.StatusServiceUnavailable, "", "too much is being taken in; send it again")
			return
		}
		defer release()
		t := &told{ResponseWriter: w}
		next.ServeHTTP(t, r)
		if t.status == http.StatusUnauthorized || t.status == http.StatusForbidden {
			from.requests.ReserveN(time.Now(), min(refusal, from.requests.Burst()))
			if s.turned != nil {
				s.turned(t.status)
			}
		}
	})
}

// refusal is how many requests one counts for that was turned away: each leaves a
// line in the log.
const refusal = 20

// told remembers the status of an answer.
type told struct {
	http.ResponseWriter
	status int
}

func (t *told) WriteHeader(status int) {
	t.status = status
	t.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (t *told) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// patience is how long a request waits for memory.
const patience = 2 * time.Second

// room waits for the memory that a body needs. One that nobody will read needs none.
func (s *sources) room(r *http.Request, from *source) (release func(), ok bool) {
	_, err := s.guard.Token(r)
	of := s.proven
	switch {
	case r.ContentLength == 0 || err != nil && !s.guard.NeedsBody(r):
		return func() {}, true
	case err != nil:
		of = s.unproven
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	weight := bodySize(r)
	if from.bodies.Acquire(ctx, weight) != nil {
		return nil, false
	}
	if of.Acquire(ctx, weight) != nil {
		from.bodies.Release(weight)
		return nil, false
	}
	return func() { of.Release(weight); from.bodies.Release(weight) }, true
}

// bodySize is what a body may take; one that doesn't say may have all of it.
func bodySize(r *http.Request) int64 {
	if r.ContentLength < 0 {
		return events.MaxBatch
	}
	return min(r.ContentLength, events.MaxBatch)
}

func (s *sources) source(p netip.Prefix) *source {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(p)
}
