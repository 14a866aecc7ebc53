package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var playTown = flag.Bool("town", false, "play real keepalived on machines made of Linux namespaces, as make town does")

// inTown tells the test that it is in a network of its own.
const inTown = "HAVIP_TEST_TOWN=1"

// TestTown plays keepalived with us and, beside it and at the same time, keepalived
// without, and compares how long the address is silent.
func TestTown(t *testing.T) {
	if !*playTown {
		t.Skip("it takes a minute and a quiet machine; make town plays it")
	}
	if slices.Contains(os.Environ(), inTown) {
		playScenes(t)
		return
	}
	for _, tool := range []string{"keepalived", "ip", "bridge", "nsenter", "curl", "pidof", "flock"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no town: %v; it wants keepalived, iproute2, util-linux and curl", err)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("no town: only root makes network namespaces")
	}
	town := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTown$", "-test.timeout=3m", "-town") //nolint:gosec // ourselves
	town.Env = append(os.Environ(), inTown)
	town.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	town.Stdout, town.Stderr = os.Stdout, os.Stderr
	if err := town.Start(); err != nil {
		t.Skipf("no town: no network namespace: %v", err)
	}
	if err := town.Wait(); err != nil {
		t.Fatal(err)
	}
}

// pair is two vSwitches with the same machines and the same scenes. On the first a host
// of ours looks after the HAVIP; on the second its holders stay as they are.
type pair struct {
	t           *testing.T
	ours, plain *vswitch
	host        *daemon
	table       []string
	squatted    string // what havip status said of it
}

var members = []string{"db1", "db2", "db3"}

func playScenes(t *testing.T) {
	p := build(t)
	p.play(scene{name: "start", fault: (*vswitch).start})
	eventually(t, "both holders are attached", func() bool { return slices.Equal(p.ours.holders(), []string{"i-db1", "i-db2"}) })
	p.play(scene{name: "planned hand-over", on: "db1", says: advertisement, fault: func(v *vswitch) { v.guests["db1"].signal("TERM") }})
	p.resume()
	p.play(scene{name: "keepalived killed", on: "db2", says: advertisement, fault: func(v *vswitch) { v.guests["db2"].signal("KILL") }})
	p.play(scene{name: "host cut off", on: "db1", says: advertisement, fault: func(v *vswitch) { v.cut(v.guests["db1"]) }, stuck: true})
	p.play(scene{name: "both back", fault: (*vswitch).heal})
	wait(t.Context(), 3*time.Second) // keepalived announces the address again when two masters have met
	p.play(scene{name: "squatter", on: "db1", says: announcement, fault: p.squat})
	if !strings.Contains(p.squatted, "i-web1 (stranger)") {
		t.Error("havip status does not name the squatter")
	}
	fmt.Printf("\n%s\n\nhavip status, while i-web1 squats:\n%s\n", strings.Join(p.table, "\n"), p.squatted)
	fmt.Printf("havip status, when the address was removed by hand and no ARP says so:\n%s", p.stick())
}

// scene is what befalls both, right after a guest said something.
type scene struct {
	name, on, says string
	fault          func(*vswitch)
	stuck          bool // keepalived alone can't help
}

// play gives VRRP its time, and waits until both answer again or for long enough to say
// that they don't.
func (p *pair) play(s scene) {
	var both sync.WaitGroup
	faults := map[*vswitch]*time.Time{p.ours: {}, p.plain: {}}
	for v, at := range faults {
		both.Go(func() {
			if s.on != "" {
				v.after(v.guests[s.on], s.says)
			}
			*at = time.Now()
			s.fault(v)
		})
	}
	both.Wait()
	const patience = 30 * time.Second // of a machine that has other work too
	end := time.Now().Add(patience)
	wait(p.t.Context(), 5*time.Second)
	for time.Now().Before(end) && (p.ours.silent() || p.plain.silent()) {
		wait(p.t.Context(), beat)
	}
	until := time.Now().Add(-200 * time.Millisecond)
	p.judge(s, p.ours.packets.since(*faults[p.ours], until), p.plain.packets.since(*faults[p.plain], until))
}

// judge adds a line to the table, and holds it against what does not hang on time.
func (p *pair) judge(s scene, ours, plain outage) {
	p.table = append(p.table, fmt.Sprintf("| %s | %s | %d | %s | %d | %s |", s.name, ours, ours.lost, plain, plain.lost, ours.beside(plain)))
	switch {
	case ours.gap == never:
		p.t.Errorf("%s: the address does not come back", s.name)
	case s.stuck && plain.gap != never:
		p.t.Errorf("%s: keepalived alone moved the address, which its holders don't allow", s.name)
	case !s.stuck && ours.ratio(plain) > 1.2: // told, not judged: it is a matter of time
		p.t.Logf("%s: silent for %s, %s without us", s.name, ours.gap, plain.gap)
	}
}

// resume is what a person does when the maintenance of db1 is over: nothing goes back
// by itself.
func (p *pair) resume() {
	p.t.Helper()
	eventually(p.t, "db3 stands in for db1", func() bool { return slices.Equal(p.ours.holders(), []string{"i-db2", "i-db3"}) })
	for _, v := range []*vswitch{p.ours, p.plain} {
		v.guests["db1"].start()
	}
	if r := p.havip("recover", "orders", "--instance", "i-db1", "--release", "i-db3", "--reason", "maintenance is over", "--wait"); r.code != exitGood {
		p.t.Errorf("recover: %+v", r)
	}
}

func (p *pair) havip(args ...string) ran {
	p.t.Helper()
	return havipRuns(p.t, []string{"HAVIP_HOST=" + p.host.url(), operatorToken}, args...)
}

// squat lets a machine that is no member, and doesn't hold the HAVIP, take its address.
func (p *pair) squat(v *vswitch) {
	v.guests["web1"].sh("ip address add " + v.address() + "/32 dev eth0 && echo 1 >/proc/sys/net/ipv4/conf/eth0/arp_notify && ip link set eth0 down && ip link set eth0 up")
	if v == p.ours {
		wait(p.t.Context(), 10*beat)
		p.squatted = p.havip("status").out
	}
}

// stick takes the address from the one that serves while no keepalived runs, so that
// nobody announces it and the cloud still believes the last one that did.
func (p *pair) stick() (status string) {
	p.ours.guests["web1"].sh("ip address delete " + p.ours.address() + "/32 dev eth0")
	p.ours.after(p.ours.guests["db1"], announcement)
	for _, name := range members {
		p.ours.guests[name].signal("KILL")
	}
	p.ours.guests["db1"].sh("ip address flush dev eth0 to " + p.ours.address() + "/32")
	wait(p.t.Context(), time.Second)
	if !p.ours.silent() {
		p.t.Error("the address answers though it was removed")
	}
	return p.havip("status").out
}

const townWorld = `alibaba:
  region: cn-hangzhou
  accessKeys: {testak: testsk}
  vswitches: [{id: vsw-ours, vpc: vpc-1}, {id: vsw-plain, vpc: vpc-1}]
  instances:
    - {id: i-db1, vswitch: vsw-ours}
    - {id: i-db2, vswitch: vsw-ours}
    - {id: i-db3, vswitch: vsw-ours}
    - {id: i-web1, vswitch: vsw-ours}
    - {id: i-plain-db1, vswitch: vsw-plain}
    - {id: i-plain-db2, vswitch: vsw-plain}
    - {id: i-plain-db3, vswitch: vsw-plain}
    - {id: i-plain-web1, vswitch: vsw-plain}
  havips:
    - {id: havip-ours, vswitch: vsw-ours, ip: 10.0.0.100}
    - {id: havip-plain, vswitch: vsw-plain, ip: 10.0.1.100, holders: [i-plain-db1, i-plain-db2]}
`

// The scenes follow each other within seconds, so the cool-down is short.
const townRoster = `havips:
  - name: orders
    cloud: alibaba
    region: cn-hangzhou
    id: havip-ours
    members: [i-db1, i-db2, i-db3]
    coolDown: 2s
`

const townNotify = `HAVIP_URL=http://10.0.0.1:8080
HAVIP_INGRESS_TOKEN=hush-hush-hush-token
HAVIP_CLOUD=alibaba
HAVIP_REGION=cn-hangzhou
`

const shippedConf = "../selfhosted/keepalived.conf"

// build makes the machines, with the configuration that we ship on the first vSwitch,
// and the same without our lines on the second.
func build(t *testing.T) *pair {
	t.Helper()
	text, err := os.ReadFile(shippedConf)
	if err != nil {
		t.Fatal(err)
	}
	root(t, "ip", "link", "set", "lo", "up")
	c := simulate(t, "--world", file(t, "world.yaml", townWorld))
	ours := newVSwitch(t, c, "br10", "10.0.0", "havip-ours")
	plain := newVSwitch(t, c, "br20", "10.0.1", "havip-plain")
	bare := strings.ReplaceAll(string(text), "10.0.0.", "10.0.1.")
	bare = file(t, "keepalived.conf", regexp.MustCompile(`(?m)^\s*notify.*\n`).ReplaceAllString(bare, ""))
	for name, number := range map[string]string{"db1": "11", "db2": "12", "db3": "13", "web1": "21"} {
		ours.add(&guest{t: t, name: name, instance: "i-" + name, notify: true}, number, shippedConf)
		plain.add(&guest{t: t, name: name, instance: "i-plain-" + name}, number, bare)
	}
	listen(t, ours, plain)
	p := &pair{t: t, ours: ours, plain: plain, table: []string{
		"| scene | answers after | lost | without us after | lost | longest gap, ours by theirs |", "|---|---|---|---|---|---|",
	}}
	p.host = start(t, append(c.env, "HAVIP_INGRESS_TOKEN=hush-hush-hush-token", operatorToken),
		"serve", "--addr", "10.0.0.1:8080", "--data", t.TempDir(), "--roster", file(t, "roster.yaml", townRoster))
	for _, v := range []*vswitch{ours, plain} {
		v.opens()
	}
	t.Cleanup(p.explain)
	return p
}

// explain is for whoever has to find out why a scene went wrong.
func (p *pair) explain() {
	if !p.t.Failed() {
		return
	}
	p.host.kill()
	p.t.Logf("the host said:\n%s", p.host.words)
	for _, v := range []*vswitch{p.ours, p.plain} {
		for _, name := range members {
			p.t.Logf("%s said:\n%s", v.guests[name].instance, v.guests[name].log())
		}
	}
}
