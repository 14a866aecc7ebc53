package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
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

// The outcome, the command and the metrics tell what a probe of the address found; the
// HAVIP is attached all the same.
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
	recovered := func(d *daemon, says string) {
		t.Helper()
		r := havipRuns(t, nil, "recover", "orders-db", "--reason", "drill", "--wait", "--host", d.url())
		if r.code != exitGood || !strings.Contains(r.out, says) {
			t.Errorf("%d %s%s, want %q", r.code, r.out, r.err, says)
		}
	}
	recovered(d, "i-db1 serves; probe: reachable")
	recovered(off, "probe: not tried (HAVIP_PROBE=off)")
	service.Close()
	recovered(d, "probe: unreachable: the address does not answer tcp:"+port+": connect: connection refused; check that the service on i-db1 listens")
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
	if !strings.Contains(r.out, "probe: not tried (nobody here looks from inside the VPC)") {
		t.Errorf("direct: %s%s", r.out, r.err)
	}
	t.Log(r.out)
}
