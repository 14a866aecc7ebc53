package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"havip-functions/shared/simulator/worldfile"
)

// vswitch is a bridge, and what a cloud makes of one: a packet for the HAVIP goes to
// the port that announced it last, if that is a holder's, and else to nobody. So it is
// with BytePlus (docs.byteplus.com, vpc/HAVIP-FAQ): the cloud knows the master by ARP,
// and an instance that is not associated takes the address away from those that are.
type vswitch struct {
	t       *testing.T
	clouds  clouds
	bridge  string
	havip   string
	network string // the first three numbers of its addresses
	guests  map[string]*guest
	packets *packets

	mu        sync.Mutex
	announcer *guest // the last one
	ears      []ear
}

// ear waits for a guest to say something.
type ear struct {
	from  *guest
	what  string
	heard chan struct{}
}

// What is heard of guests.
const (
	advertisement = "a VRRP advertisement"
	announcement  = "a gratuitous ARP"
)

func (v *vswitch) address() string { return v.network + ".100" }

func newVSwitch(t *testing.T, c clouds, bridge, network, havip string) *vswitch {
	t.Helper()
	root(t, "ip", "link", "add", bridge, "type", "bridge")
	root(t, "ip", "address", "add", network+".1/24", "dev", bridge)
	root(t, "ip", "link", "set", bridge, "up")
	return &vswitch{t: t, clouds: c, bridge: bridge, network: network, havip: havip, guests: map[string]*guest{}}
}

// add starts a machine and gives it its port and its address.
func (v *vswitch) add(g *guest, number, conf string) {
	v.t.Helper()
	g.boot(conf, file(v.t, "notify.env", townNotify+"HAVIP_INSTANCE="+g.instance+"\n"))
	g.port, g.mac = v.bridge+g.name, "02:00:00:00:"+v.bridge[2:]+":"+number
	root(v.t, "ip", "link", "add", g.port, "type", "veth", "peer", "name", "eth0", "address", g.mac, "netns", strconv.Itoa(g.pid))
	root(v.t, "ip", "link", "set", g.port, "master", v.bridge, "up")
	g.sh("ip address add " + v.network + "." + number + "/24 dev eth0 && ip link set eth0 up")
	v.guests[g.name] = g
}

// opens begins to carry packets, and has somebody send them.
func (v *vswitch) opens() {
	v.t.Helper()
	var all sync.WaitGroup
	v.t.Cleanup(all.Wait)
	v.announce("")
	all.Go(v.carry)
	for _, g := range v.guests {
		if g.notify && g.name != "web1" {
			all.Go(g.repeats)
		}
	}
	v.packets = send(v.t, v.address())
}

// start starts keepalived on the members, one a little after the other.
func (v *vswitch) start() {
	for _, name := range members {
		v.guests[name].start()
		wait(v.t.Context(), 500*time.Millisecond)
	}
}

// The states of a bridge's port (linux/if_bridge.h).
const (
	disabled   = "0"
	forwarding = "3"
)

// cut closes a machine's port; the machine itself sees nothing of it.
func (v *vswitch) cut(g *guest) {
	root(v.t, "bridge", "link", "set", "dev", g.port, "state", disabled)
	v.mu.Lock()
	defer v.mu.Unlock()
	g.cut = true
}

// heal brings back the one that was cut off and the one whose keepalived was killed.
func (v *vswitch) heal() {
	v.guests["db2"].start()
	g := v.guests["db1"]
	v.mu.Lock()
	g.cut = false
	v.mu.Unlock()
	root(v.t, "bridge", "link", "set", "dev", g.port, "state", forwarding)
}

// listen hears what all guests of all vSwitches say, each by its port.
func listen(t *testing.T, all ...*vswitch) {
	t.Helper()
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(htons(unix.ETH_P_ALL)))
	if err != nil {
		t.Fatal(err)
	}
	ports := map[int]func(string){}
	for _, v := range all {
		for _, g := range v.guests {
			port, err := net.InterfaceByName(g.port)
			if err != nil {
				t.Fatal(err)
			}
			ports[port.Index] = func(what string) { v.hear(g, what) }
		}
	}
	go func() {
		for frame := make([]byte, 2048); ; {
			n, from, err := unix.Recvfrom(socket, frame, 0)
			if err != nil && !errors.Is(err, unix.EINTR) {
				return
			}
			at, ok := from.(*unix.SockaddrLinklayer)
			if !ok || at.Pkttype == unix.PACKET_OUTGOING || ports[at.Ifindex] == nil {
				continue
			}
			ports[at.Ifindex](meaning(frame[:n]))
		}
	}()
}

// meaning is what a frame says: an ARP of whose two addresses are one, or VRRP.
func meaning(frame []byte) string {
	switch {
	case len(frame) >= 42 && frame[12] == 8 && frame[13] == 6 && bytes.Equal(frame[28:32], frame[38:42]) && frame[31] == 100:
		return announcement
	case len(frame) >= 34 && frame[12] == 8 && frame[13] == 0 && frame[23] == 112:
		return advertisement
	}
	return ""
}

func htons(n uint16) uint16 { return n<<8 | n>>8 }

func (v *vswitch) hear(g *guest, what string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if g.cut {
		return
	}
	if what == announcement {
		v.announcer = g
	}
	v.ears = slices.DeleteFunc(v.ears, func(e ear) bool {
		if e.from != g || e.what != what {
			return false
		}
		close(e.heard)
		return true
	})
}

// after waits until a guest has said something, so that a fault meets both towns at
// the same point of keepalived's time.
func (v *vswitch) after(g *guest, what string) {
	e := ear{g, what, make(chan struct{})}
	v.mu.Lock()
	v.ears = append(v.ears, e)
	v.mu.Unlock()
	select {
	case <-e.heard:
	case <-time.After(10 * time.Second):
		v.t.Errorf("%s never says %s: %s", g.name, what, g.log())
	}
}

// silent tells that a packet of the last second got no answer.
func (v *vswitch) silent() bool {
	p := v.packets
	p.mu.Lock()
	defer p.mu.Unlock()
	end := len(p.answered) - int(200*time.Millisecond/beat) // some are on their way
	return slices.Contains(p.answered[end-int(time.Second/beat):end], false)
}

// last is who announced the address last, or nil.
func (v *vswitch) last() *guest {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.announcer
}

// carry tells the simulator who announced the address, and carries packets as it
// says, until the test ends.
func (v *vswitch) carry() {
	const nobody = "02:00:00:00:00:01" // a port that there is not
	to := ""
	for tick := time.NewTicker(beat); v.t.Context().Err() == nil; <-tick.C {
		h, ok := v.read()
		if !ok {
			continue // the simulator is gone: the test ends
		}
		next := nobody
		if g := v.last(); g != nil {
			if h.Master != g.instance {
				v.announce(g.instance)
			}
			if slices.Contains(h.Holders, g.instance) {
				next = g.mac
			}
		}
		if next != to {
			v.t.Logf("%s %s: %s is carried to %s", time.Now().Format("05.000"), v.bridge, v.address(), next)
			root(v.t, "ip", "neighbour", "replace", v.address(), "lladdr", next, "dev", v.bridge, "nud", "permanent")
			to = next
		}
	}
}

// read reads the HAVIP in the simulator's world.
func (v *vswitch) read() (worldfile.HAVIP, bool) {
	text := v.control(http.MethodGet, "/world", "")
	world, err := worldfile.Parse(text)
	if err != nil {
		return worldfile.HAVIP{}, false
	}
	all := world.Alibaba[0].HAVIPs
	return all[slices.IndexFunc(all, func(h worldfile.HAVIP) bool { return h.ID == v.havip })], true
}

// holders tells who holds the HAVIP.
func (v *vswitch) holders() []string {
	h, _ := v.read()
	return slices.Sorted(slices.Values(h.Holders))
}

// announce tells the simulator whose announcement was the last; "" is nobody's.
func (v *vswitch) announce(instance string) {
	v.control(http.MethodPut, "/clouds/alibaba/havips/"+v.havip, `{"master":"`+instance+`"}`)
}

// control makes a call to the control address, whose answer is empty once it is gone.
func (v *vswitch) control(method, path, body string) []byte {
	r, err := http.NewRequest(method, "http://"+v.clouds.Control+path, strings.NewReader(body))
	if err != nil {
		return nil
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil
	}
	return text
}
