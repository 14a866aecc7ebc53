package pace_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/functions"
	"havip-functions/shared/alibaba"
	"havip-functions/shared/baidu"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/havip/pace"
	"havip-functions/shared/ledger"
	"havip-functions/shared/simulator"
)

// storm is a zone that fails: every HAVIP of both clouds at once, against clouds
// that take so many calls a second of each account.
type storm struct {
	sim      *simulator.Simulator
	policies []havip.Policy
	index    func() *havip.Index
	function flow.Function
	weather  weather

	told     atomic.Int64 // events
	mu       sync.Mutex
	outcomes map[string]events.Outcome // by HAVIP
	all      []events.Outcome
	last     time.Time // of an outcome
}

// weather says how bad it is.
type weather struct {
	havips   int  // on each cloud
	throttle int  // calls a second that each cloud takes
	calm     bool // nothing has failed
}

const forlornIn = 20 // one HAVIP in so many has no standby

var keys = havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "testsk"}

func newStorm(tb testing.TB, w weather) *storm {
	s := &storm{weather: w, outcomes: map[string]events.Outcome{}}
	realm := func(cloud, region string) simulator.Realm {
		r := simulator.Realm{Region: region, AccessKeys: map[string]string{keys.AccessKeyID: keys.AccessKeySecret}}
		for n := range w.havips {
			s.add(&r, cloud, n)
		}
		return r
	}
	a, b := realm("alibaba", "cn-hangzhou"), realm("baidu", "bj")
	a.VSwitches, b.Subnets = []simulator.Network{{ID: "net", VPC: "vpc"}}, []simulator.Network{{ID: "net", VPC: "vpc"}}
	var err error
	s.sim, err = simulator.New(simulator.Options{
		World: simulator.World{Alibaba: simulator.Realms{a}, Baidu: simulator.Realms{b}},
		Faults: []simulator.Fault{
			{Cloud: "alibaba", ThrottlePerSecond: w.throttle}, {Cloud: "baidu", ThrottlePerSecond: w.throttle},
			{Delay: 40 * time.Millisecond},
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	s.index = sync.OnceValue(func() *havip.Index { return havip.NewIndex(s.policies) })
	memory := ledger.NewMemory()
	s.function = functions.New(flow.Function{
		Keeper: havip.Keeper{Ledger: memory, Roster: s, Clouds: new(pace.Pacer).Clouds(s.open), Later: true},
		Ledger: memory, Bus: s, Log: slog.New(slog.DiscardHandler),
	})
	return s
}

func (s *storm) add(r *simulator.Realm, cloud string, n int) {
	p := havip.Policy{
		Name: fmt.Sprintf("%s-%d", cloud, n), ID: fmt.Sprintf("havip-%s-%d", cloud, n), Cloud: cloud, Region: r.Region,
		InstanceType: "EcsInstance", Hold: 1, Limit: 2, Mode: havip.Act, OnHealthFailed: havip.Replace,
		ServingWithin: 10 * time.Second, CoolDown: time.Second, Deadline: 5 * time.Minute, MarkTTL: time.Hour,
	}
	h := simulator.HAVIP{ID: p.ID, IP: fmt.Sprintf("10.0.%d.%d", n/250, n%250+1), VSwitch: "net"}
	if cloud == "baidu" {
		h.VSwitch, h.Subnet, p.InstanceType = "", "net", "SERVER"
	}
	for m := range 2 {
		i := simulator.Instance{ID: fmt.Sprintf("i-%s-%d-%d", cloud, n, m), VSwitch: h.VSwitch, Subnet: h.Subnet, State: havip.Running}
		if !s.weather.calm && (m == 0 || n%forlornIn == 0) {
			i.State = havip.Stopped
		}
		r.Instances = append(r.Instances, i)
		p.Members = append(p.Members, havip.Member{ID: i.ID, Instance: i.ID})
	}
	h.Holders = []string{p.Members[0].ID}
	r.HAVIPs = append(r.HAVIPs, h)
	s.policies = append(s.policies, p)
}

// Policies implements havip.Roster.
func (s *storm) Policies() []havip.Policy { return s.policies }

// Index implements havip.Roster.
func (s *storm) Index() *havip.Index { return s.index() }

func (s *storm) open(_ context.Context, p havip.Policy, _ string) (havip.Cloud, havip.Fleet, error) {
	ours := func(context.Context) (havip.Credentials, error) { return keys, nil }
	if p.Cloud == "baidu" {
		c := baidu.New(baidu.Config{Region: p.Region, Transport: s.sim.Transport(), Credentials: ours})
		return c, c, nil
	}
	c := alibaba.New(alibaba.Config{Region: p.Region, Transport: s.sim.Transport(), Credentials: ours})
	return c, c, nil
}

// Publish implements flow.Bus.
func (s *storm) Publish(_ context.Context, ce cloudevents.Event, after time.Duration) error {
	if ce.Type() != events.TypeStatusCheck {
		s.note(ce)
		return nil
	}
	payload, err := json.Marshal(ce)
	if err != nil {
		return err
	}
	time.AfterFunc(after, func() { _ = s.function.Invoke(context.Background(), payload) })
	return nil
}

func (s *storm) note(ce cloudevents.Event) {
	var o events.Outcome
	_ = ce.DataAs(&o)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcomes[o.HAVIP], s.last = o, time.Now()
	s.all = append(s.all, o)
}

// ended are the outcomes so far.
func (s *storm) ended() []events.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

func throttled(c simulator.Call) bool {
	return strings.HasPrefix(c.Code, "Throttling") || c.Code == "RequestLimitExceeded"
}

// strike lets every holder fail at once, and returns how long it took until each
// HAVIP had its outcome.
func (s *storm) strike(tb testing.TB) time.Duration {
	began := time.Now()
	for _, p := range s.policies {
		e, err := events.New(p.ID, began, events.HealthFailed{Cloud: p.Cloud, Region: p.Region, Instance: p.Members[0].ID}).CloudEvent()
		if err != nil {
			tb.Fatal(err)
		}
		payload, _ := json.Marshal(e)
		if err := s.function.Invoke(tb.Context(), payload); err != nil {
			tb.Fatal(err)
		}
	}
	<-time.After(10 * time.Minute)
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last.Sub(began)
}

// spent is what the storm cost one account.
type spent struct{ calls, throttled, changes, reads int }

func (s *storm) spent() map[string]spent {
	by := map[string]spent{}
	for _, c := range s.sim.Calls(simulator.CallFilter{}) {
		n := by[c.Cloud]
		n.calls++
		switch {
		case throttled(c):
			n.throttled++
		case c.ClientToken != "":
			n.changes++
		default:
			n.reads++
		}
		by[c.Cloud] = n
	}
	return by
}

// cost is what a storm came to: all must be within limits of ours.
type cost struct {
	took   time.Duration
	wasted float64 // calls that were throttled, per cent of all
	ratio  float64 // of the time to that which the calls took at the cloud's rate
	reads  float64 // calls for each HAVIP, beside its changes
}

func (s *storm) cost(took time.Duration) cost {
	all, wasted, most, reads := 0, 0, 0, 0
	for _, n := range s.spent() {
		all, wasted, reads = all+n.calls, wasted+n.throttled, reads+n.reads
		most = max(most, n.calls-n.throttled)
	}
	return cost{
		took: took, wasted: 100 * float64(wasted) / float64(all), reads: float64(reads) / float64(len(s.policies)),
		ratio: took.Seconds() * float64(s.weather.throttle) / float64(most),
	}
}

func (c cost) String() string {
	return fmt.Sprintf("%s; %.1f %% of the calls throttled, %.2f of the least time, %.2f reads a HAVIP",
		c.took.Round(100*time.Millisecond), c.wasted, c.ratio, c.reads)
}

// TestStorm: hundreds of HAVIPs fail at once. Each is attached, or refused with
// the reason, and the clouds' limits are used well without being overrun.
// BenchmarkStorm is the same with 1,000 HAVIPs at 50 calls a second; with much less than
// here, chance alone decides on a per cent of the calls.
func TestStorm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { weather{havips: 200, throttle: 20}.rage(t) })
}

func (w weather) rage(t *testing.T) cost {
	s := newStorm(t, w)
	defer s.sim.Close()
	c := s.cost(s.strike(t))
	t.Log(c)
	if c.wasted > 5 || c.ratio > 1.3 {
		t.Errorf("more than 5 %% of the calls wasted, or more than 1.3 of the time: %s", c)
	}
	for n, p := range s.policies {
		o := s.outcomes[p.ID]
		want, holder := "attached", p.Members[1].ID
		if n%w.havips%forlornIn == 0 {
			want, holder = "refused", p.Members[0].ID
		}
		now, _ := s.sim.HAVIP(p.Cloud, p.ID)
		if o.Outcome != want || !slices.Equal(now.Holders, []string{holder}) || want == "refused" && (o.Rule == "" || o.Advice == "") {
			t.Errorf("%s held by %v: %+v", p.ID, now.Holders, o)
		}
	}
	return c
}

// BenchmarkStorm measures it in virtual time: only a test has that.
func BenchmarkStorm(b *testing.B) {
	var c cost
	for b.Loop() {
		test := testing.InternalTest{Name: "storm", F: func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c = weather{havips: 500, throttle: 50}.rage(t) })
		}}
		if !testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{test}) {
			b.Fatal("the storm did not go as it should")
		}
	}
	b.ReportMetric(c.wasted, "wasted_%")
	b.ReportMetric(c.ratio, "time_ratio")
	b.ReportMetric(c.took.Seconds(), "storm_s")
	b.ReportMetric(c.reads, "reads/HAVIP")
}
