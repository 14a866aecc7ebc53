package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/ledger/ledgertest"
	"havip-functions/shared/simulator"
	"havip-functions/shared/simulator/worldfile"
)

// many are so many HAVIPs that nobody holds, with a member each that starts.
func many(stories int) (w simulator.World, roster string, all []arrival) {
	w = world()
	realm := &w.Alibaba[0]
	lines := []string{"defaults: {hold: 1}", "havips:"}
	for n := range stories {
		a := arrival{name: fmt.Sprintf("n%d", n), cloud: "alibaba", havip: fmt.Sprintf("havip-n%d", n), instance: fmt.Sprintf("i-n%d", n)}
		a.payload = fmt.Sprintf(`{"id":"start-%s","source":"/monitor","specversion":"1.0","type":"havip.instance.started",
			"data":{"cloud":"alibaba","region":"cn-hangzhou","instance":%q}}`, a.name, a.instance)
		realm.Instances = append(realm.Instances, worldfile.Instance{ID: a.instance, VSwitch: "vsw-a"})
		realm.HAVIPs = append(realm.HAVIPs, worldfile.HAVIP{ID: a.havip, VSwitch: "vsw-a", IP: fmt.Sprintf("10.1.%d.%d", n/250, n%250+1)})
		lines = append(lines, fmt.Sprintf("  - {name: %s, cloud: alibaba, region: cn-hangzhou, id: %s, members: [%s]}", a.name, a.havip, a.instance))
		all = append(all, a)
	}
	return w, strings.Join(lines, "\n"), all
}

// killable is the server of a ledger.
type killable interface {
	Kill()
	Start()
}

// mortal are ledgers that keep what they acknowledged when they are killed.
var mortal = map[string]func(*testing.T) (s killable, env []string){
	"DynamoDB": func(t *testing.T) (killable, []string) {
		s := ledgertest.DynamoDB(t)
		return s, []string{"HAVIP_LEDGER=" + ledgertest.TableAt(s.Host), "AWS_ACCESS_KEY_ID=testak", "AWS_SECRET_ACCESS_KEY=testsk"}
	},
	"Tablestore": func(t *testing.T) (killable, []string) { // whose keys are those of each call
		s := ledgertest.NewTablestore(t, keys(0), keys(1), keys(2), keys(3), keys(4))
		return s, []string{"HAVIP_LEDGER=" + s.Address()}
	},
	"Redis": func(t *testing.T) (killable, []string) {
		s := ledgertest.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
		return s, []string{"HAVIP_LEDGER=redis://" + s.Host}
	},
}

// A ledger that goes away again and again, while each event comes twice: each story
// has one outcome, and one attach had an effect.
func TestLedgerIsKilled(t *testing.T) {
	for name, open := range mortal {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, env := open(t)
			f, c, all := underLoad(t, env...)
			for _, so := range []int{5, 50, 100} {
				f.until(so)
				server.Kill()
				before := f.vain()
				eventually(t, "calls come in vain", func() bool { return f.vain() > before+3 })
				server.Start()
			}
			f.onceEach(c, all, "attached")
		})
	}
}

// underLoad sends the events of 200 stories, each twice, over four seconds.
func underLoad(t *testing.T, env ...string) (*functionCompute, clouds, []arrival) {
	t.Helper()
	w, roster, all := many(200)
	c := openClouds(t, simulator.Options{World: w, AssociateTime: 1500 * time.Millisecond})
	c.env[0] = "HAVIP_ROSTER=" + roster
	f := openFC(t, c, habits{timeout: 20, rests: true}, openCustom, env...)
	for n, a := range all {
		for range 2 {
			f.async(call{function: "havip-instance-started", payload: []byte(a.payload)}, time.Duration(n)*20*time.Millisecond)
		}
	}
	return f, c, all
}

// until waits for so many stories to end.
func (f *functionCompute) until(so int) {
	f.t.Helper()
	eventually(f.t, fmt.Sprintf("%d stories have ended", so), func() bool { return f.logged(`"msg":"attached"`) >= so })
}

// vain is how many lines tell of a ledger that is away.
func (f *functionCompute) vain() int { return f.logged("can't be reached") }

func (f *functionCompute) logged(words string) int {
	return strings.Count(f.instance.logs()[0].String(), words)
}

// onceEach waits until nothing is under way, and holds each story to one outcome of
// these, and one attach with an effect.
func (f *functionCompute) onceEach(c clouds, all []arrival, want ...string) {
	f.t.Helper()
	f.busy.Wait()
	sent := 0
	for _, a := range all {
		if told := ended(a, f.instance.logs()...); len(told) != 1 || !slices.Contains(want, strings.Fields(told[0])[1]) {
			f.t.Errorf("%s: the outcomes are %v, want one of %v", a.havip, told, want)
		}
		mutating, effects, moving := c.calls(a.havip)
		if sent += mutating; effects != 1 || moving != 0 {
			f.t.Errorf("%s: %d mutating calls, %d with an effect, %d while it moved; want one", a.havip, mutating, effects, moving)
		}
	}
	f.t.Logf("%d stories, %d calls of the functions, %d mutating ones of the cloud, %d lines tell of a ledger that is away", len(all), f.calls.n, sent, f.vain())
	f.clean()
}
