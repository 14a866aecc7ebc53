package main

import (
	"fmt"
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

// A table that goes away again and again, while each event comes twice: each story
// has one outcome, and one attach had an effect.
func TestDynamoDBIsKilled(t *testing.T) {
	t.Parallel()
	table := ledgertest.DynamoDB(t)
	w, roster, all := many(200)
	c := openClouds(t, simulator.Options{World: w, AssociateTime: 1500 * time.Millisecond})
	c.env[0] = "HAVIP_ROSTER=" + roster
	f := openFC(t, c, habits{timeout: 20, rest: time.Second}, openCustom, "HAVIP_LEDGER="+ledgertest.TableAt(table.Host),
		"AWS_ACCESS_KEY_ID=testak", "AWS_SECRET_ACCESS_KEY=testsk")
	for n, a := range all {
		for range 2 {
			f.async(call{function: "havip-instance-started", payload: []byte(a.payload)}, time.Duration(n)*20*time.Millisecond)
		}
	}
	told := func() (n int) { return strings.Count(f.instance.logs()[0].String(), `"msg":"attached"`) }
	for _, so := range []int{5, 50, 100} {
		eventually(t, fmt.Sprintf("%d stories have ended", so), func() bool { return told() >= so })
		table.Kill()
		failed := func() int { return strings.Count(f.instance.logs()[0].String(), "can't be reached") }
		before := failed()
		eventually(t, "calls come in vain", func() bool { return failed() > before+3 })
		table.Start()
	}
	f.busy.Wait()
	for _, a := range all {
		if told := ended(a, f.instance.logs()...); len(told) != 1 || !strings.HasSuffix(told[0], " attached") {
			t.Errorf("%s: the outcomes are %v, want one", a.havip, told)
		}
		mutating, effects, moving := c.calls(a.havip)
		if effects != 1 || moving != 0 {
			t.Errorf("%s: %d mutating calls, %d with an effect, %d while it moved; want one", a.havip, mutating, effects, moving)
		}
	}
	t.Logf("%d stories, %d calls, %d lines tell of a ledger that is away", len(all), f.calls.n, strings.Count(f.instance.logs()[0].String(), "can't be reached"))
	f.clean()
}
