package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"sync"
	"testing"
	"time"
)

// beat is how often somebody asks the address for an answer.
const beat = 20 * time.Millisecond

// packets are ICMP echoes to one address, and which of them were answered.
type packets struct {
	mu       sync.Mutex
	sent     []time.Time
	answered []bool
}

// send sends one at each beat, until the test ends.
func send(t *testing.T, address string) *packets {
	t.Helper()
	conn, err := net.DialIP("ip4:icmp", nil, &net.IPAddr{IP: net.ParseIP(address)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	p := &packets{}
	go p.listen(conn)
	go func() {
		for tick := time.NewTicker(beat); ; {
			select {
			case <-tick.C:
				_, _ = conn.Write(p.next()) // unanswered then
			case <-t.Context().Done():
				return
			}
		}
	}()
	return p
}

// next is an echo request; its number is its place in the list.
func (p *packets) next() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	echo := binary.BigEndian.AppendUint16([]byte{8, 0, 0, 0, 0x48, 0x56}, uint16(len(p.sent))) //nolint:gosec // 65536 beats are 20 minutes
	p.sent, p.answered = append(p.sent, time.Now()), append(p.answered, false)
	sum := uint32(0)
	for i := 0; i < len(echo); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(echo[i:]))
	}
	binary.BigEndian.PutUint16(echo[2:], ^uint16(sum+sum>>16)) //nolint:gosec // RFC 1071
	return echo
}

func (p *packets) listen(conn *net.IPConn) {
	for answer := make([]byte, 1500); ; {
		n, _, err := conn.ReadFromIP(answer)
		if err != nil {
			return
		}
		if n >= 8 && answer[0] == 0 {
			p.mu.Lock()
			p.answered[binary.BigEndian.Uint16(answer[6:])] = true
			p.mu.Unlock()
		}
	}
}

// outage is what a fault cost.
type outage struct {
	lost int
	gap  time.Duration // the longest one between two answers, one before the fault at first
	back time.Duration // from the fault to the first answer after it; never is math.MaxInt64
}

const never = time.Duration(math.MaxInt64)

// since is the outage of a fault, up to a time.
func (p *packets) since(fault, until time.Time) outage {
	p.mu.Lock()
	defer p.mu.Unlock()
	var o outage
	last := fault // nobody answered before the first one
	for n, at := range p.sent {
		switch {
		case at.After(until):
		case at.Before(fault):
			if p.answered[n] {
				last = at
			}
		case !p.answered[n]:
			o.lost++
		default:
			o.answer(at.Sub(last), at.Sub(fault))
			last = at
		}
	}
	if until.Sub(last) > time.Second {
		o.gap, o.back = never, never
	}
	return o
}

// answer counts an answered packet, so long after the last one and after the fault.
func (o *outage) answer(gap, sinceFault time.Duration) {
	if gap > o.gap {
		o.gap, o.back = gap, sinceFault
	}
}

func (o outage) String() string {
	switch {
	case o.back == never:
		return "never"
	case o.lost == 0:
		return "at once"
	}
	return fmt.Sprintf("%.2f s", o.back.Seconds())
}

// beside says how the longest gap compares with another one's.
func (o outage) beside(other outage) string {
	if other.gap == never {
		return fmt.Sprintf("%.2f s instead of never", o.gap.Seconds())
	}
	return fmt.Sprintf("%.2f", o.ratio(other))
}

// ratio compares the longest gap with another one's. Below half a second
// both are as good: the machine's own load makes the difference.
func (o outage) ratio(other outage) float64 {
	const alike = 500 * time.Millisecond
	return float64(max(o.gap, alike)) / float64(max(other.gap, alike))
}
