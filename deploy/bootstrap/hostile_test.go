package main

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/ledger"
	"havip-functions/shared/simulator"
)

// hostile is what Function Compute may do; each function has three seconds, so
// that the watch inside an invocation ends before the attach does.
var hostile = map[string]habits{
	"as documented":    {},
	"ignores delays":   {delay: func(time.Duration) time.Duration { return 0 }},
	"is early":         {delay: func(asked time.Duration) time.Duration { return asked / 3 }},
	"is late":          {delay: func(asked time.Duration) time.Duration { return asked + 2*time.Second }},
	"delivers twice":   {twice: true},
	"cuts first tries": {cutFirst: true},
	"is busy at first": {busyFirst: true},
}

const copies = 20 // of each event, delivered at once

// Whatever FC does, and however often an event comes, both HAVIPs are attached
// by one call with an effect each. With a ledger that is the only call, and the
// story has one outcome. Without one each copy may call once, and once more where FC
// tries it again since it ran out of time, with the same ClientToken and perhaps while
// the HAVIP moves, and its story ends for itself.
func TestHostileFunctionCompute(t *testing.T) {
	for runtime, open := range runtimes {
		for name, h := range hostile {
			for _, remembers := range []bool{true, false} {
				t.Run(strings.Join([]string{runtime, name, ledgerName(remembers)}, "/"), func(t *testing.T) {
					t.Parallel()
					own := h
					own.timeout = 3
					var env []string
					if remembers {
						env = append(env, "HAVIP_LEDGER="+startNATS(t).ClientURL())
					}
					c := openClouds(t, simulator.Options{AssociateTime: 1500 * time.Millisecond})
					f := openFC(t, c, own, open, env...)
					for _, a := range arrivals("hostile-1") {
						for range copies {
							f.async(call{function: "havip-instance-started", payload: []byte(a.payload)}, 0)
						}
					}
					for _, a := range arrivals("") {
						f.settled(c, a, remembers)
					}
					f.clean()
				})
			}
		}
	}
}

func ledgerName(remembers bool) string {
	if remembers {
		return "with a ledger"
	}
	return "without"
}

// settled waits until nothing is under way, and counts what was done.
func (f *functionCompute) settled(c clouds, a arrival, remembers bool) {
	f.t.Helper()
	c.attached(f.t, a, f.instance.logs()...)
	f.busy.Wait()
	for _, o := range outcomes(a.havip, f.instance.logs()...) {
		if !slices.Contains(good, o.Msg) {
			f.t.Errorf("%s: the outcome is %+v", a.havip, o)
		}
	}
	if remembers {
		c.once(f.t, a.havip)
		if told := ended(a, f.instance.logs()...); len(told) != 1 {
			f.t.Errorf("%s: the outcomes are %v, want one", a.havip, told)
		}
		return
	}
	f.mu.Lock()
	most := copies + f.failed
	f.mu.Unlock()
	if mutating, effects, _ := c.calls(a.havip); mutating > most || effects != 1 {
		f.t.Errorf("%s: %d mutating calls, %d with an effect; want %d at most, and one", a.havip, mutating, effects, most)
	}
}

// ended are the stories of a HAVIP with their outcomes. One that is told twice,
// because its function died before it could say so, is one all the same.
func ended(a arrival, logs ...*output) []string {
	told := map[string]bool{}
	for _, o := range outcomes(a.havip, logs...) {
		told[o.Story+" "+o.Msg] = true
	}
	return slices.Sorted(maps.Keys(told))
}

// A call that can't leave its follow-up fails, so FC tries again and then keeps
// the event. What nobody can read is kept where it can be: in the ledger at the
// first try, or by FC.
func TestDeadLetters(t *testing.T) {
	native := arrivals("dead-1")[0].payload
	for name, tt := range map[string]struct {
		payload   string
		habits    habits
		remembers bool
		byFC      bool
	}{
		"no follow-up, with a ledger": {native, habits{refuses: true, timeout: 3}, true, true},
		"no follow-up, without":       {native, habits{refuses: true, timeout: 3}, false, true},
		"unreadable, with a ledger":   {"not JSON", habits{}, true, false},
		"unreadable, without":         {"not JSON", habits{}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine, env := startNATS(t), []string(nil)
			if tt.remembers {
				env = append(env, "HAVIP_LEDGER="+engine.ClientURL())
			}
			c := openClouds(t, simulator.Options{AssociateTime: time.Hour})
			f := openFC(t, c, tt.habits, openCustom, env...)
			f.async(call{function: "havip-health-failed", payload: []byte(tt.payload)}, 0)
			f.busy.Wait()
			dead := f.deadLetters()
			if byFC := len(dead) == 1 && string(dead[0].payload) == tt.payload; byFC != tt.byFC {
				t.Errorf("FC kept %d", len(dead))
			}
			if tt.byFC {
				return
			}
			if n := f.calls.next() - 1; n != 1 {
				t.Errorf("%d tries of what no retry can cure", n)
			}
			if kept := buried(t, engine); len(kept) != 1 || !bytes.Equal(kept[0].Bytes, []byte(tt.payload)) {
				t.Errorf("the ledger kept %+v", kept)
			}
		})
	}
}

// startNATS starts a real engine on a socket.
func startNATS(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the engine is not ready")
	}
	return s
}

func buried(t *testing.T, s *server.Server) []ledger.DeadLetter {
	t.Helper()
	conn, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.OpenJetStream(t.Context(), js, 1)
	if err != nil {
		t.Fatal(err)
	}
	letters, err := l.DeadLetters(t.Context())
	for i := range letters {
		if err == nil {
			letters[i], err = l.DeadLetter(t.Context(), letters[i].ID)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return letters
}

// A story of more than 40 hops, of a bus that keeps no delay and functions of a
// second, ends in one outcome.
func TestManyHops(t *testing.T) {
	t.Parallel()
	a := arrivals("hops-1")[0]
	c := openClouds(t, simulator.Options{AssociateTime: time.Hour})
	c.env[0] = strings.Replace(c.env[0], "deadline: 5m", "deadline: 15s", 1)
	c.env[0] = strings.Replace(c.env[0], "coolDown: 60s", "coolDown: 1s", 1)
	f := openFC(t, c, habits{timeout: 1, rests: true, delay: func(time.Duration) time.Duration { return 0 }}, openCustom,
		"HAVIP_LEDGER="+startNATS(t).ClientURL())
	f.async(call{function: "havip-instance-started", payload: []byte(a.payload)}, 0)
	f.busy.Wait()
	told := ended(a, f.instance.logs()...)
	if len(told) != 1 || !strings.HasSuffix(told[0], "timedout") || f.followUps() < 40 || f.followUps() > 400 {
		t.Errorf("%d hops, outcomes %v; want at least 40, and one timedout", f.followUps(), told)
	}
	f.clean()
}
