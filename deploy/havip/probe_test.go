package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A world whose HAVIPs have loopback for their address, so that a probe gets there.
const reachableWorld = `
alibaba:
  region: cn-hangzhou
  accessKeys: {testak: testsk}
  vswitches: [{id: vsw-a, vpc: vpc-1}]
  instances: [{id: i-db1, vswitch: vsw-a}, {id: i-db2, vswitch: vsw-a}]
  havips: [{id: havip-bp1orders, vswitch: vsw-a, ip: 127.0.0.1}]
`

const probedRoster = `
havips:
- {name: orders-db, cloud: alibaba, region: cn-hangzhou, id: havip-bp1orders, members: [i-db1, i-db2], hold: 1, probe: "tcp:PORT"}
`

// The outcome, the command, the status and the metrics tell what a probe of the address
// found, also where the cloud still names the holder; the HAVIP is attached all the same.
func TestTheOutcomeTellsTheProbe(t *testing.T) {
	service, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(service.Addr().String())
	c := simulate(t, "--world", file(t, "world.yaml", reachableWorld))
	rosterFile := file(t, "roster.yaml", strings.Replace(probedRoster, "PORT", port, 1))
	d := c.serve(t, t.TempDir(), rosterFile)
	off := start(t, append(c.env, "HAVIP_PROBE=off"), "serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--roster", rosterFile)
	says := func(code int, words string, args ...string) {
		t.Helper()
		if r := havipRuns(t, nil, args...); r.code != code || !strings.Contains(r.out+r.err, words) {
			t.Errorf("havip %s: %d %s%s, want %d %q", strings.Join(args, " "), r.code, r.out, r.err, code, words)
		}
	}
	recovers := func(d *daemon, code int, words string) {
		t.Helper()
		says(code, words, "recover", "orders-db", "--reason", "drill", "--wait", "--host", d.url())
	}
	sweeps := func(code int, words string) {
		t.Helper()
		eventually(t, words, func() bool {
			d.accept(t, `{"specversion":"1.0","id":"`+fmt.Sprint(time.Now().UnixNano())+`","source":"test","type":"havip.sweep"}`)
			r := havipRuns(t, nil, "status", "orders-db", "--host", d.url())
			return r.code == code && strings.Contains(r.out, words)
		})
	}
	recovers(d, exitGood, "i-db1 serves; probe: reachable")
	recovers(off, exitGood, "probe: not tried (HAVIP_PROBE=off)")
	service.Close()
	sweeps(exitOther, "i-db1 (mute)")
	recovers(d, exitOther, "i-db1 announces it, and nobody answers; probe: unreachable: attached, but 127.0.0.1 does not answer tcp:"+port+
		": connect: connection refused, though the cloud names i-db1; on i-db1 check that the service listens")
	says(exitOther, "i-db1 (mute)", "status", "orders-db", "--host", d.url())
	again, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	sweeps(exitGood, "i-db1  ")
	answer, err := http.Get(d.url() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	for _, line := range []string{`havip_probes_total{havip="orders-db",probe="reachable"} 1`, `havip_probes_total{havip="orders-db",probe="unreachable"} 1`} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
	r := havipRuns(t, append(c.env, "HAVIP_PROBE=off"), "recover", "orders-db", "--reason", "drill", "--direct", "--roster", rosterFile)
	if strings.Count(r.out, "probe: not tried (nobody here looks from inside the VPC)") != 1 {
		t.Errorf("direct: %s%s", r.out, r.err)
	}
	t.Log(r.out)
}
