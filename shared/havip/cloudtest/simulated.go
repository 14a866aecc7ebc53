package cloudtest

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// Open makes an adapter that calls an endpoint through a transport.
type Open func(endpoint string, rt http.RoundTripper, a Access) Cloud

// Alibaba is the harness of an adapter in front of the simulated Alibaba Cloud,
// over real sockets.
func Alibaba(open Open) Harness {
	h := Harness{
		HAVIP: "havip-bp1orders", HAVIPs: 120, Limit: 2, Type: "EcsInstance",
		Members: []string{"i-db1", "i-db2", "i-db3"}, Outsider: "i-web1",
	}
	realm := simulator.Builtin().Alibaba[0]
	realm.HAVIPsPerInstance = h.HAVIPs
	more(&realm, h.HAVIPs)
	return h.before(simulated{
		cloud: "alibaba", world: simulator.World{Alibaba: simulator.Realms{realm}}, dialect: (*simulator.Simulator).Alibaba,
		throttle: "Throttling.User", read: "DescribeHaVips", open: open,
	})
}

// Baidu is the harness of an adapter in front of the simulated Baidu AI Cloud,
// over real sockets.
func Baidu(open Open) Harness {
	h := Harness{
		HAVIP: "havip-w2d4", HAVIPs: 2100, Limit: 2, Type: "SERVER",
		Members: []string{"i-syG1", "i-syG2", "i-syG3"}, Outsider: "i-far",
	}
	realm := simulator.Builtin().Baidu[0]
	realm.HAVIPs[0].Limit = h.Limit
	realm.Subnets = append(realm.Subnets, simulator.Network{ID: "sbn-far", VPC: "vpc-far"})
	realm.Instances = append(realm.Instances, simulator.Instance{ID: "i-far", Subnet: "sbn-far", State: havip.Running})
	more(&realm, h.HAVIPs)
	return h.before(simulated{
		cloud: "baidu", world: simulator.World{Baidu: simulator.Realms{realm}}, dialect: (*simulator.Simulator).Baidu,
		throttle: "RequestLimitExceeded", read: "GetHaVip", open: open,
	})
}

// more fills a realm up with HAVIPs that nobody holds.
func more(r *simulator.Realm, total int) {
	for n := len(r.HAVIPs); n < total; n++ {
		spare := r.HAVIPs[0]
		spare.ID, spare.IP = fmt.Sprintf("havip-spare%04d", n), fmt.Sprintf("10.1.%d.%d", n/250, n%250+1)
		r.HAVIPs = append(r.HAVIPs, spare)
	}
}

// simulated is what differs between the two.
type simulated struct {
	cloud    string
	world    simulator.World
	dialect  func(*simulator.Simulator) http.Handler
	throttle string // its code for too many calls
	read     string // its operation that reads one HAVIP
	open     Open
}

func (h Harness) before(s simulated) Harness {
	h.Keys = havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "testsk"}
	h.Start = s.start
	return h
}

func (s simulated) start(t *testing.T, moves time.Duration) World {
	t.Helper()
	if moves == 0 {
		moves = -1
	}
	sim, err := simulator.New(simulator.Options{World: s.world, AssociateTime: moves, MasterTime: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	empty := new(atomic.Bool)
	l := listen(t, emptied(s.dialect(sim), empty))
	return World{
		Open: func(a Access) Cloud { return s.open(l.URL, l.transport, a) },
		SetInstance: func(id string, state havip.InstanceState) {
			if err := sim.SetInstance(s.cloud, id, state); err != nil {
				t.Fatal(err)
			}
		},
		Effects: func() int { return effects(sim) },
		Fault: func(f Fault) {
			if f == Empty {
				empty.Store(true)
			} else if err := sim.AddFault(s.fault(f)); err != nil {
				t.Fatal(err)
			}
		},
		Storm: func() {
			for _, f := range s.storm() {
				if err := sim.AddFault(f); err != nil {
					t.Fatal(err)
				}
			}
		},
		Holders: func(id string) []string {
			have, _ := sim.HAVIP(s.cloud, id)
			return have.Holders
		},
		Connections: l.connections,
	}
}

func (s simulated) fault(f Fault) simulator.Fault {
	if f == Throttled {
		return simulator.Fault{Times: 1, Error: &simulator.FaultError{Code: s.throttle}}
	}
	return faults[f]
}

// storm is all that may become of a call, seeded: about one in five goes wrong.
func (s simulated) storm() []simulator.Fault {
	return []simulator.Fault{
		{Probability: 0.05, Error: &simulator.FaultError{Code: s.throttle}},
		{Probability: 0.03, Cut: true},
		{Probability: 0.03, LoseReply: true},
		{Probability: 0.02, Redirect: true},
		{Probability: 0.02, HTML: true},
		{Probability: 0.02, NumericCode: true},
		{Probability: 0.05, Delay: 5 * time.Millisecond},
		{Probability: 0.05, SlowBody: 5 * time.Millisecond},
		{Probability: 0.002, Operation: s.read, Delay: 2 * time.Second}, // longer than a read waits
	}
}

// listener is a server and the clients' transport to it.
type listener struct {
	*httptest.Server
	transport *http.Transport
	open      atomic.Int64
}

func listen(t *testing.T, handler http.Handler) *listener {
	t.Helper()
	l := &listener{Server: httptest.NewUnstartedServer(handler), transport: &http.Transport{MaxIdleConnsPerHost: callers}}
	l.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			l.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			l.open.Add(-1)
		default:
		}
	}
	l.Start()
	t.Cleanup(func() {
		l.transport.CloseIdleConnections()
		l.CloseClientConnections()
		l.Close()
	})
	return l
}

func (l *listener) connections() int {
	l.transport.CloseIdleConnections()
	return int(l.open.Load())
}

// emptied answers the next call with nothing where the switch is set.
func emptied(next http.Handler, empty *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !empty.CompareAndSwap(true, false) {
			next.ServeHTTP(w, r)
		}
	})
}

func effects(sim *simulator.Simulator) int {
	n := 0
	for _, c := range sim.Calls(simulator.CallFilter{}) {
		if c.Effect {
			n++
		}
	}
	return n
}

const never = time.Minute // longer than any test waits

var faults = map[Fault]simulator.Fault{
	ReplyLost:   {Times: 1, LoseReply: true},
	Cut:         {Times: 1, Cut: true},
	Slow:        {Times: 1, Delay: never},
	SlowBody:    {Times: 1, SlowBody: never},
	Redirect:    {Times: 1, Redirect: true},
	BadGateway:  {Times: 1, HTML: true},
	NumericCode: {Times: 1, NumericCode: true},
}
