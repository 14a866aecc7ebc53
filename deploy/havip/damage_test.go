package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/ledger/ledgertest"
)

var damaging = flag.Bool("cluster.damage", false, "damage the files of nodes, and tell what comes of it")

// damage is what befalls the files of some nodes while they are down.
type damage struct {
	name  string
	nodes int
	do    func(t *testing.T, path string)
	to    string // a pattern below the store's folder; the largest file of those
}

var damages = []damage{
	{"nothing: a node was killed", 1, func(*testing.T, string) {}, ""},
	{"the ledger's messages, cut by half", 1, cutByHalf, "$G/streams/KV_havip-ledger/msgs/*.blk"},
	{"the ledger's messages, a bit flipped", 1, flip, "$G/streams/KV_havip-ledger/msgs/*.blk"},
	{"the requests' messages, a bit flipped", 1, flip, "$G/streams/HAVIP-REQUESTS/msgs/*.blk"},
	{"the ledger's index, a bit flipped", 1, flip, "$G/streams/KV_havip-ledger/msgs/index.db"},
	{"the looks to come (consumer's state), cut by half", 1, cutByHalf, "$G/streams/HAVIP-REQUESTS/obs/functions/o.dat"},
	{"a log of the cluster's agreement, a bit flipped", 1, flip, "$SYS/_js_/*/msgs/*.blk"},
	{"a log of the cluster's agreement, cut by half", 1, cutByHalf, "$SYS/_js_/*/msgs/*.blk"},
	{"the ledger's stream, deleted", 1, remove, "$G/streams/KV_havip-ledger"},
	{"the whole store, deleted", 1, remove, "."},
	{"the ledger's messages of two nodes, a bit flipped, the third away", 2, flip, "$G/streams/KV_havip-ledger/msgs/*.blk"},
	{"the ledger's messages of two nodes, cut by half, the third away", 2, cutByHalf, "$G/streams/KV_havip-ledger/msgs/*.blk"},
	{"the whole store of two nodes, deleted, the third away", 2, remove, "."},
}

func flip(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err == nil {
		text[len(text)/2] ^= 1
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func cutByHalf(t *testing.T, path string) {
	s, err := os.Stat(path)
	if err == nil {
		err = os.Truncate(path, s.Size()/2)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func (d damage) strike(t *testing.T, n *ledgertest.Node) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(n.Folder, "jetstream", d.to))
	largest, size := "", int64(-1)
	for _, path := range found {
		if s, err := os.Stat(path); err == nil && s.Size() > size {
			largest, size = path, s.Size()
		}
	}
	if err != nil || largest == "" {
		t.Fatalf("no %s: %v", d.to, err)
	}
	d.do(t, largest)
}

// TestDamage kills the node that leads the ledger while stories go on, damages its
// files, starts it, and then takes a sound node away for a while. It writes the table of
// docs/ledgers.md.
func TestDamage(t *testing.T) {
	if !*damaging {
		t.Skip("go test ./deploy/havip -run Damage -cluster.damage -v")
	}
	var table []string
	usual := map[string]bool{} // what a node says that was only killed
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			table = append(table, d.line(t, usual))
			t.Log(table[len(table)-1])
		})
	}
	t.Logf("\n| what was damaged | writes lost | who says so | every HAVIP right after |\n|---|---|---|---|\n%s", strings.Join(table, "\n"))
}

func (d damage) line(t *testing.T, usual map[string]bool) string {
	const half = 12
	f := newFleet(t, 2*half, 2, "--associate-time", "1s")
	w := f.watch(t)
	rng := rand.New(rand.NewPCG(*faultSeed, 70))
	f.reportSome(t.Context(), rng, time.Second, f.plights[:half]).Wait()
	f.outcomes(t)
	for _, n := range f.nodes { // whereafter what was agreed lies in the streams alone
		n.Restart()
		eventually(t, "all are there", func() bool { return w.leads(t.Context()) != nil })
	}
	before := f.written(t, w.js)
	wait(t.Context(), 12*time.Second) // the hosts look every ten
	all := f.reportSome(t.Context(), rng, 2*time.Second, f.plights[half:])
	wait(t.Context(), time.Second)
	bad, sound := f.led(t, w.js)
	for _, n := range bad[:d.nodes] {
		n.Kill()
	}
	if d.nodes > 1 {
		sound.Kill()
	}
	for _, n := range bad[:d.nodes] {
		d.strike(t, n)
		n.Start()
	}
	began := time.Now()
	var away sync.WaitGroup
	away.Go(func() {
		wait(t.Context(), 3*time.Second)
		if d.nodes == 1 {
			sound.Kill()
		}
		wait(t.Context(), 10*time.Second)
		sound.Start()
	})
	all.Wait()
	for end := time.Now().Add(4 * time.Minute); len(f.wrong(t)) > 0 && time.Now().Before(end); {
		wait(t.Context(), 300*time.Millisecond)
	}
	right := time.Since(began)
	away.Wait()
	f.checkCalls(t)
	f.checkHolders(t)
	lost := before.lost(f.written(t, w.js))
	if lost > 0 {
		wait(t.Context(), 22*time.Second)
	}
	open := 0
	if ended := f.ended(t); !f.over(ended) {
		open = len(f.stories) - len(ended)
	}
	var said []string
	for i := range f.copies {
		f.kill(i)
		said = append(said, complaint(f.copies[i].words.String(), usual, d.to == "")...)
	}
	for _, n := range bad[:d.nodes] {
		n.Kill()
		said = append(said, complaint(n.Said(), usual, d.to == "")...)
	}
	return fmt.Sprintf("| %s | %d of %d | %s | %.0f s (%d stories open) |", d.name, lost, len(before), strings.Join(said, "; "), right.Seconds(), open)
}

var kinds = regexp.MustCompile(`'[^']*'|"[^"]*"|\S*\d\S*`)

// complaint is what a log says of damage, the first line of each kind that is not usual.
func complaint(log string, usual map[string]bool, control bool) (lines []string) {
	known := map[string]bool{}
	for line := range strings.Lines(log) {
		found := regexp.MustCompile(`\[(WRN|ERR)\][^\n]*|level=ERROR msg="[^"]*"`).FindString(line)
		kind := kinds.ReplaceAllString(found, "")
		if found == "" || usual[kind] || known[kind] {
			continue
		}
		known[kind] = true
		if control {
			usual[kind] = true
		}
		lines = append(lines, found)
	}
	return lines
}

// led are the nodes, who leads the ledger first, and the last of them.
func (f *fleet) led(t *testing.T, js jetstream.JetStream) (all []*ledgertest.Node, last *ledgertest.Node) {
	t.Helper()
	eventually(t, "a leader", func() bool {
		s, err := js.Stream(t.Context(), "KV_havip-ledger")
		if all = nil; err != nil || s.CachedInfo().Cluster == nil {
			return false
		}
		for i, n := range f.nodes {
			if s.CachedInfo().Cluster.Leader == fmt.Sprintf("n%d", i) {
				all = append([]*ledgertest.Node{n}, all...)
			} else {
				all = append(all, n)
			}
		}
		return s.CachedInfo().Cluster.Leader != ""
	})
	return all, all[len(all)-1]
}

// writes are the newest of each subject, by their sequence.
type writes map[string]uint64

func (f *fleet) written(t *testing.T, js jetstream.JetStream) writes {
	t.Helper()
	all := writes{}
	for _, name := range []string{"KV_havip-ledger", "KV_havip-stories", "KV_havip-events", "HAVIP-OUTCOMES"} {
		eventually(t, name+" can be read", func() bool {
			s, err := js.Stream(t.Context(), name)
			if err != nil {
				return false
			}
			for seq := s.CachedInfo().State.FirstSeq; seq > 0 && seq <= s.CachedInfo().State.LastSeq; seq++ {
				if m, err := s.GetMsg(t.Context(), seq); err == nil {
					all[m.Subject] = m.Sequence
				}
			}
			return true
		})
	}
	return all
}

func (before writes) lost(after writes) (lost int) {
	for subject, sequence := range before {
		if after[subject] < sequence {
			lost++
		}
	}
	return lost
}
