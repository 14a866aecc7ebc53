package simulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"havip-functions/shared/havip/cloudtest"
	"havip-functions/shared/simulator"
)

// Calls over a socket, beside a handler that does nothing but answer the same
// bytes. Aim: at most 3 times.
func BenchmarkSimulator(b *testing.B) {
	for _, bm := range []struct {
		name    string
		handler func(*simulator.Simulator) http.Handler
		do      func(c *client, n int) reply
	}{
		{"DescribeHaVips", (*simulator.Simulator).Alibaba, func(c *client, _ int) reply {
			return c.rpc("DescribeHaVips", "Filter.1.Key", "HaVipId", "Filter.1.Value.1", "havip-bp1orders")
		}},
		{"AssociateHaVip", (*simulator.Simulator).Alibaba, toAndFro},
		{"GetHaVip", (*simulator.Simulator).Baidu, func(c *client, _ int) reply {
			return c.rest("GET", "/v1/havip/havip-w2d4", "")
		}},
		{"AttachHaVip", (*simulator.Simulator).Baidu, func(c *client, n int) reply {
			return c.attach([]string{"attach", "detach"}[n%2], "i-syG1")
		}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			s, err := simulator.New(simulator.Options{AssociateTime: -1, MasterTime: -1})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			c := newClient(nil, s)
			answer := bm.do(c, 0)
			s.Reset()
			cloudtest.Compare(b,
				way(b, "simulator", bm.handler(s), bm.do),
				way(b, "bare", bare(answer), bm.do))
		})
	}
}

// toAndFro associates and unassociates in turn; each call has its effect.
func toAndFro(c *client, n int) reply {
	action := []string{"AssociateHaVip", "UnassociateHaVip"}[n%2]
	return c.change(action, "i-db1", "Force", "True", "ClientToken", fmt.Sprint("token-", n))
}

// bare answers as the simulator did, after reading the call.
func bare(answer reply) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for k, v := range answer.Header {
			w.Header()[k] = v
		}
		_, _ = io.WriteString(w, answer.Raw)
	})
}

func way(b *testing.B, name string, h http.Handler, do func(*client, int) reply) cloudtest.Way {
	b.Helper()
	socket := httptest.NewServer(h)
	b.Cleanup(socket.Close)
	c := &client{alibaba: socket.URL, baidu: socket.URL, key: "testak", secret: "testsk", region: "cn-hangzhou"}
	n := -1
	return cloudtest.Way{Name: name, Do: func() error {
		n++
		if r := do(c, n); r.err != nil || r.Status != http.StatusOK {
			return fmt.Errorf("call %d: %w %s", n, r.err, r.Raw)
		}
		return nil
	}}
}

// What a million calls leave in memory: no more than the first 200,000, of which
// the last 100,000 are kept in full and of the others their nonces and tokens.
func BenchmarkMillionCalls(b *testing.B) {
	s, err := simulator.New(simulator.Options{AssociateTime: -1, MasterTime: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	c := newClient(nil, s)
	for b.Loop() {
		s.Reset()
		for n := range 1_000_000 {
			if r := toAndFro(c, n); r.Status != http.StatusOK {
				b.Fatal(r.Raw, r.err)
			}
			switch n + 1 {
			case 100_000:
				b.ReportMetric(heapMB(), "MB-at-100k")
			case 200_000:
				b.ReportMetric(heapMB(), "MB-at-200k")
			case 1_000_000:
				b.ReportMetric(heapMB(), "MB-at-1M")
			}
		}
	}
}

func heapMB() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}
