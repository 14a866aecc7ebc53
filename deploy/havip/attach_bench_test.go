package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/accounts"
	"havip-functions/shared/alibaba"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/roster"
	"havip-functions/shared/runtime/host"
	"havip-functions/shared/simulator"
)

// The stories of one association time: so many before anything is known, so many that
// teach, and so many that are measured after them.
const (
	unlearntStories = 5
	lessonRounds    = 4
	perRound        = 3
	learntStories   = 8
	allStories      = unlearntStories + lessonRounds*perRound + learntStories
)

// cadences are those who ask for as long as it takes, as a user would write it.
var cadences = []struct {
	name  string
	every time.Duration
}{{"every 5 s", 5 * time.Second}, {"every 2 s", 2 * time.Second}, {"every 100 ms", 100 * time.Millisecond}}

// attached is how one story or poller went.
type attached struct {
	ratio float64 // the time to attached ÷ the association time
	calls int
}

// BenchmarkAttach measures the time from an event's first byte to the look that read
// attached, ÷ the time T that the cloud takes, and the calls of a story, on a host of our
// own; beside it pollers of the usual cadences. All go over sockets, by the same SDK, in
// one run. The limit is T itself.
func BenchmarkAttach(b *testing.B) {
	for b.Loop() {
		var running sync.WaitGroup
		times := []time.Duration{200 * time.Millisecond, time.Second, 2 * time.Second, 2200 * time.Millisecond, 5 * time.Second, 30 * time.Second}
		lines := make([][]ways, len(times))
		for i, takes := range times {
			running.Go(func() { lines[i] = attachLine(b, takes) })
		}
		running.Wait()
		head, under := "| T |", "|---|"
		for _, w := range lines[0] {
			head, under = head+" "+w.who+" |", under+"---|"
		}
		fmt.Printf("\n%s\n%s\n", head, under)
		for i, takes := range times {
			fmt.Printf("| %s |", takes)
			for _, w := range lines[i] {
				fmt.Printf(" %s |", w)
			}
			fmt.Println()
		}
		for i, takes := range times {
			for _, w := range lines[i] {
				b.Run(fmt.Sprintf("who=%s/T=%s", strings.ReplaceAll(w.who, " ", "-"), takes), func(b *testing.B) { w.report(b) })
			}
		}
	}
}

// ways are the stories of one who attaches, the fastest first.
type ways struct {
	who string
	all []attached
}

func newWays(who string, all []attached) ways {
	slices.SortFunc(all, func(a, b attached) int { return cmp.Compare(a.ratio, b.ratio) })
	return ways{who, all}
}

// String is p50, the worst, and the most calls.
func (w ways) String() string {
	return fmt.Sprintf("%.3f, at most %.3f × T; %d calls", w.all[len(w.all)/2].ratio, w.all[len(w.all)-1].ratio, w.calls())
}

func (w ways) calls() int {
	return slices.MaxFunc(w.all, func(a, b attached) int { return cmp.Compare(a.calls, b.calls) }).calls
}

func (w ways) report(b *testing.B) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(w.all[len(w.all)/2].ratio, "×T-p50")
	b.ReportMetric(w.all[len(w.all)-1].ratio, "×T-most")
	b.ReportMetric(float64(w.calls()), "calls")
}

// attachLine is a line of the table.
func attachLine(b *testing.B, takes time.Duration) []ways {
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	sim, endpoint := havips100(ctx, b, takes)
	ours := hostBefore(ctx, b, endpoint)
	_, theirEndpoint := havips100(ctx, b, takes)
	polled := make([][]attached, len(cadences))
	var running sync.WaitGroup
	for i, c := range cadences {
		running.Go(func() {
			for n := range perRound {
				polled[i] = append(polled[i], poll(ctx, b, theirEndpoint, 10*i+n, c.every, takes))
			}
		})
	}
	next := 0
	round := func(stories int) (all []attached) {
		all = make([]attached, stories)
		var running sync.WaitGroup
		for i := range stories {
			n := next + i
			running.Go(func() { all[i] = tell(ctx, b, ours, sim, n, takes) })
			wait(ctx, 600*time.Millisecond) // below the rate that an account begins with
		}
		running.Wait()
		next += stories
		return all
	}
	unlearnt := round(unlearntStories)
	for range lessonRounds {
		round(perRound)
	}
	line := []ways{newWays("ours, unlearnt", unlearnt), newWays("ours, learnt", round(learntStories))}
	running.Wait()
	for i, c := range cadences {
		line = append(line, newWays(c.name, polled[i]))
	}
	return line
}

// havips100 is a simulated cloud on a socket, with a hundred HAVIPs that nobody holds.
func havips100(ctx context.Context, b *testing.B, takes time.Duration) (*simulator.Simulator, string) {
	realm := simulator.Realm{
		Region: "cn-hangzhou", AccessKeys: map[string]string{"testak": "testsk"},
		VSwitches: []simulator.Network{{ID: "net", VPC: "vpc"}},
	}
	for n := range 100 {
		realm.Instances = append(realm.Instances, simulator.Instance{ID: instanceOf(n), VSwitch: "net", State: havip.Running})
		realm.HAVIPs = append(realm.HAVIPs, simulator.HAVIP{ID: havipOf(n), VSwitch: "net", IP: fmt.Sprintf("10.0.0.%d", n+1)})
	}
	sim, err := simulator.New(simulator.Options{World: simulator.World{Alibaba: simulator.Realms{realm}}, AssociateTime: takes, MasterTime: -1})
	if err != nil {
		b.Error(err)
		return nil, ""
	}
	free := "127.0.0.1:0"
	l, err := simulator.Serve(ctx, simulator.Addrs{Alibaba: free, Baidu: free, Control: free}, sim)
	if err != nil {
		b.Error(err)
		return nil, ""
	}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	return sim, l.Addrs.Alibaba
}

func instanceOf(n int) string { return fmt.Sprintf("i-%d", n) }
func havipOf(n int) string    { return fmt.Sprintf("havip-%d", n) }

// hostBefore is a host of our own before a cloud.
func hostBefore(ctx context.Context, b *testing.B, endpoint string) client {
	list := "defaults: {hold: 1}\nhavips:\n"
	for n := range allStories {
		list += fmt.Sprintf("- {name: n%d, cloud: alibaba, region: cn-hangzhou, id: %s, members: [%s]}\n", n, havipOf(n), instanceOf(n))
	}
	file, err := roster.Open(list)
	if err != nil {
		b.Error(err)
		return client{}
	}
	getenv := againstSimulator(simulator.Addrs{Alibaba: endpoint, Baidu: endpoint}, os.Getenv)
	h, err := host.Open(ctx, host.Config{
		Addr: "127.0.0.1:0", Data: b.TempDir(), Roster: file, Clouds: accounts.New(getenv).Clouds(havip.Credentials{}),
		Sweep: time.Hour, // it would attach what waits for its turn here
		Guard: guard.Guard{}, Limits: host.Limits{Rate: 1000, Connections: 100}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Error(err)
		return client{}
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(ctx) }()
	b.Cleanup(func() { <-ended })
	return connect("http://" + h.Addr)
}

// tell sends the event of one HAVIP, and follows its story.
func tell(ctx context.Context, b *testing.B, ours client, sim *simulator.Simulator, n int, takes time.Duration) attached {
	began := time.Now()
	sent, err := ours.send(ctx, []byte(structured(havipOf(n), "instance.started", "alibaba", "cn-hangzhou", instanceOf(n))))
	for err == nil {
		wait(ctx, 200*time.Millisecond)
		s, failed := ours.story(ctx, sent.Accepted[0].Stories[0])
		if err = failed; err == nil && s.Outcome != nil {
			if *s.Outcome != havip.Attached {
				b.Errorf("story %d is %s", n, *s.Outcome)
			}
			return attached{float64(s.EndedAt.Sub(began)) / float64(takes), callsAbout(sim, n)}
		}
	}
	b.Error(err)
	return attached{}
}

// callsAbout counts the calls that name one HAVIP, or its member alone: none of a sweep.
func callsAbout(sim *simulator.Simulator, n int) (calls int) {
	about := []string{havipOf(n), instanceOf(n), fmt.Sprintf("[%q]", instanceOf(n))}
	for _, c := range sim.Calls(simulator.CallFilter{}) {
		for value := range maps.Values(c.Params) {
			if slices.Contains(about, value) {
				calls++
				break
			}
		}
	}
	return calls
}

// poll attaches by one call and asks at a cadence until it reads that it is so.
func poll(ctx context.Context, b *testing.B, endpoint string, n int, every, takes time.Duration) attached {
	cloud := alibaba.New(alibaba.Config{
		Region: "cn-hangzhou", Endpoint: "http://" + endpoint,
		Credentials: func(context.Context) (havip.Credentials, error) {
			return havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "testsk"}, nil
		},
	})
	began := time.Now()
	_, err := cloud.Attach(ctx, havip.Call{HAVIP: havipOf(n), Instance: instanceOf(n), InstanceType: "EcsInstance", Token: havipOf(n)})
	for calls := 2; err == nil; calls++ {
		wait(ctx, every)
		var have havip.HAVIP
		if have, err = cloud.Get(ctx, havipOf(n)); err == nil && have.On(instanceOf(n)) && !have.Moving() {
			return attached{float64(time.Since(began)) / float64(takes), calls}
		}
	}
	b.Error(err)
	return attached{}
}
