package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"havip-functions/shared/havip"
)

const world = `
alibaba:
  region: cn-hangzhou
  accessKeys: {testak: testsk}
  vswitches: [{id: vsw-a, vpc: vpc-1}, {id: vsw-b, vpc: vpc-1}]
  instances:
    - {id: i-db1, vswitch: vsw-a, state: Running}
    - {id: i-db2, vswitch: vsw-a, state: Running}
    - {id: i-db3, vswitch: vsw-a, state: Running}
    - {id: i-far, vswitch: vsw-b, state: Running}
  havips:
    - {id: havip-one, vswitch: vsw-a, ip: 10.0.0.100, holders: []}
    - {id: havip-full, vswitch: vsw-a, ip: 10.0.0.101, holders: [i-db2, i-db3]}
`

const short = `
defaults: {deadline: 3s, coolDown: 1s, hold: 1}
havips:
  - {name: one, cloud: alibaba, region: cn-hangzhou, id: havip-one, members: [i-db1]}
  - {name: far, cloud: alibaba, region: cn-hangzhou, id: havip-far, members: [i-far]}
  - {name: full, cloud: alibaba, region: cn-hangzhou, id: havip-full, members: [i-db1, i-db2, i-db3], hold: 2}
`

func TestStartingIsWaitedFor(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "100ms", "--world", file(t, "world.yaml", world))
	d := c.serve(t, t.TempDir(), file(t, "roster.yaml", short))
	c.control(t, http.MethodPut, "/clouds/alibaba/instances/i-db1", `{"state":"Starting"}`)
	started := func(id string) string {
		return d.accept(t, `{"specversion":"1.0","id":"`+id+`","source":"test","type":"havip.instance.started",
			"data":{"cloud":"alibaba","region":"cn-hangzhou","instance":"i-db1","havip":"havip-one"}}`)[0]
	}
	late := d.ends(t, started("never runs"))
	if *late.Outcome != havip.TimedOut || late.Code != "IncorrectInstanceStatus" || late.RequestID == "" {
		t.Errorf("still Starting at the deadline: %s", verdict(late))
	}
	if late.EndedAt.Before(late.Deadline) {
		t.Errorf("busy ended the story before its deadline")
	}
	story := started("runs soon")
	eventually(t, "a call that finds it Starting", func() bool {
		total, _ := c.calls(t, "AssociateHaVip")
		return total > late.Attempt
	})
	c.control(t, http.MethodPut, "/clouds/alibaba/instances/i-db1", `{"state":"Running"}`)
	if s := d.ends(t, story); *s.Outcome != havip.Attached || !slices.Equal(s.Holders, []string{"i-db1"}) {
		t.Errorf("runs: %s", verdict(s))
	}
}

func TestErrorsAreClear(t *testing.T) {
	t.Parallel()
	far := strings.Replace(world, "id: havip-one,", "id: havip-far, vswitch: vsw-a, ip: 10.0.0.102}\n    - {id: havip-one,", 1)
	c := simulate(t, "--associate-time", "100ms", "--world", file(t, "world.yaml", far))
	rosterFile := file(t, "roster.yaml", short+
		"  - {name: gone, cloud: alibaba, region: cn-hangzhou, id: havip-gone, members: [i-db1]}\n")
	d := c.serve(t, t.TempDir(), rosterFile)
	locked := append(slices.Clone(c.env), "ALIBABA_CLOUD_ACCESS_KEY_SECRET=not-the-secret")
	strange := start(t, locked, "serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--roster", rosterFile)
	at := func(d *daemon, args ...string) []string { return append(args, "--host", d.url()) }
	tests := map[string]struct {
		args []string
		code int
		says []string
	}{
		"another vSwitch": {at(d, "recover", "far", "--reason", "test", "--wait"), 1,
			[]string{"far refused", "OperationUnsupported.BindOnMultipleVswitch", "request ", "vSwitch"}},
		"full, healthy holders": {at(d, "recover", "full", "--instance", "i-db1", "--reason", "test", "--wait"), 1,
			[]string{"full refused: 2 of at most 2 instances hold it, none of them to release", "--release i-db2"}},
		"an unknown id": {at(d, "recover", "gone", "--reason", "test", "--wait"), 1,
			[]string{"gone refused", "InvalidHaVipId.NotFound", "region"}},
		"wrong keys": {at(strange, "recover", "one", "--reason", "test", "--wait"), 1,
			[]string{"one refused", "SignatureDoesNotMatch", "request "}},
		"off the roster": {at(d, "send", "instance.started", "--cloud", "alibaba", "--region", "cn-hangzhou", "--instance", "i-who", "--wait"), 1,
			[]string{"refused", "i-who is not on the roster", "roster.yaml"}},
		"a roster with a typo": {[]string{"roster", "check", file(t, "typo.yaml", strings.Replace(short, "members", "membres", 1))}, 2,
			[]string{"typo.yaml:4:", "membres", "did you mean members"}},
		"no JSON":         {at(d, "send", file(t, "event.json", "{hello")), 2, []string{"event"}},
		"no such type":    {at(d, "send", "instance.exploded"), 2, []string{"instance.exploded", "instance.started"}},
		"no reason":       {at(d, "recover", "one"), 2, []string{"--reason"}},
		"no such HAVIP":   {at(d, "recover", "two", "--reason", "test"), 2, []string{"two is not on the host's roster"}},
		"no such command": {[]string{"recoverr"}, 2, []string{"recoverr"}},
		"no such flag":    {at(d, "status", "--jsno"), 2, []string{"--jsno"}},
		"not on loopback": {[]string{"serve", "--addr", "0.0.0.0:0", "--simulate"}, 2, []string{"loopback"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := havipRuns(t, nil, test.args...)
			if got.code != test.code {
				t.Errorf("code %d: %s%s", got.code, got.out, got.err)
			}
			for _, word := range test.says {
				if !strings.Contains(got.out+got.err, word) {
					t.Errorf("%q is missing in %q", word, got.out+got.err)
				}
			}
			if strings.Contains(got.out+got.err, "not-the-secret") {
				t.Error("it tells the secret")
			}
		})
	}
	if _, effects := c.calls(t, "AssociateHaVip"); effects != 0 {
		t.Errorf("%d attaches had an effect", effects)
	}
}
