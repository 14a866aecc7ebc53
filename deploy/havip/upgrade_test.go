package main

import (
	"context"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/api"
	"havip-functions/shared/ledger/ledgertest"
)

var (
	upgradeFrom = flag.String("upgrade.from", "", "a commit whose binary is built, to upgrade from and to go back to")
	upgradeKeep = flag.Bool("upgrade.keep", false, "write testdata/upgrade.json anew, as that binary leaves it")
)

// keeping is what an engine had when its host was killed in the midst of stories.
type keeping struct {
	By      string    `json:"by"` // the commit
	At      time.Time `json:"at"`
	Streams []kept    `json:"streams"`
}

type kept struct {
	Config   jetstream.StreamConfig `json:"config"`
	Messages []keptMessage          `json:"messages"`
}

type keptMessage struct {
	Subject string      `json:"subject"`
	Header  nats.Header `json:"header,omitempty"`
	Data    string      `json:"data"`
}

const upgradeFile = "testdata/upgrade.json"

// upgraded are the stories of testdata/upgrade.json: one of each plight.
const upgraded = 8

// TestUpgrade: stories that an earlier version began, and died over, end under this
// one. Their clouds are as they were before; the cloud is what a look goes by.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	var k keeping
	if err := json.Unmarshal([]byte(readText(t, upgradeFile)), &k); err != nil {
		t.Fatal(err)
	}
	w := newTown(t, upgraded)
	k.restore(t, w.data, time.Now().Add(-30*time.Second)) // calls under way have settled
	d := w.open(t)
	w.adopt(t)
	if len(w.stories) != upgraded {
		t.Errorf("%d stories are known", len(w.stories))
	}
	w.check(t)
	if d.accept(t, structured(w.plights[0].havip, w.plights[0].kind, w.plights[0].cloud, w.plights[0].region, w.plights[0].instance)); len(w.ended(t)) != upgraded {
		t.Error("an event that the earlier version had heard begins a story anew")
	}
}

// adopt takes the stories that are known for those that were accepted.
func (w *town) adopt(t testing.TB) {
	t.Helper()
	var list api.Stories
	if err := w.host.Load().client().do(t.Context(), "GET", "/api/stories", nil, &list); err != nil {
		t.Fatal(err)
	}
	for _, s := range list.Stories {
		for _, p := range w.plights {
			if s.Event.ID == p.havip {
				w.stories[s.ID] = p
			}
		}
	}
}

// TestUpgradeFrom goes from an earlier version's binary to this one and back, by kill -9
// in the midst of stories: on a folder, and on a cluster where copies of both work at the
// same time.
func TestUpgradeFrom(t *testing.T) {
	if *upgradeFrom == "" {
		t.Skip("go test ./deploy/havip -run UpgradeFrom -upgrade.from HEAD~1 -v")
	}
	old := buildOf(t, *upgradeFrom)
	rng := rand.New(rand.NewPCG(*faultSeed, 50))
	const third, span = 24, 3 * time.Second
	t.Run("folder", func(t *testing.T) {
		w := newTown(t, 3*third, "--associate-time", "1s")
		for n, program := range []string{old, os.Args[0], old} {
			w.program = program
			d := w.open(t)
			w.reportSome(t.Context(), rng, span, w.plights[n*third:(n+1)*third]).Wait()
			if n < 2 {
				d.kill()
			}
			if n == 0 && *upgradeKeep {
				keep(t, old)
			}
		}
		w.check(t)
	})
	t.Run("cluster", func(t *testing.T) {
		f := newFleet(t, 3*third, 2, "--associate-time", "1s")
		for n, programs := range [][2]string{{old, old}, {os.Args[0], old}, {old, os.Args[0]}} {
			for i, program := range programs {
				f.kill(i)
				f.program = program
				f.open(t, i)
				f.host.Store(f.copies[i])
			}
			f.reportSome(t.Context(), rng, span, f.plights[n*third:(n+1)*third]).Wait()
		}
		f.check(t)
	})
}

// buildOf makes the binary of a commit that git has.
func buildOf(t *testing.T, commit string) string {
	t.Helper()
	folder := t.TempDir()
	program := filepath.Join(folder, "havip")
	cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", `git archive "$0" | tar -x -C "$1" && cd "$1" && CGO_ENABLED=0 go build -o "$2" ./deploy/havip`, commit, folder, program) //nolint:gosec // our own
	cmd.Dir = ledgertest.Root(t)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return program
}

// engine opens a folder's engine, without a host.
func engine(t testing.TB, data string) (jetstream.JetStream, func()) {
	t.Helper()
	s, err := server.NewServer(&server.Options{ServerName: "havip", DontListen: true, NoSigs: true, NoLog: true, JetStream: true, StoreDir: data, MaxPayload: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("no engine")
	}
	conn, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js, func() { conn.Close(); s.Shutdown(); s.WaitForShutdown() }
}

// keep writes what a version leaves behind that is killed in the midst of one story of
// each plight.
func keep(t *testing.T, program string) {
	t.Helper()
	w := newTown(t, upgraded, "--associate-time", "1s")
	w.program = program
	d := w.open(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w.reportAll(ctx, rand.New(rand.NewPCG(1, 1)), time.Second).Wait()
	d.kill()
	k := keeping{By: *upgradeFrom, At: time.Now().UTC()}
	js, closed := engine(t, w.data)
	defer closed()
	for name := range js.StreamNames(ctx).Name() {
		if s, err := js.Stream(ctx, name); err != nil {
			t.Error(err)
		} else if name != "HAVIP-AUDIT" { // its chain holds at its own times alone
			k.Streams = append(k.Streams, kept{s.CachedInfo().Config, messages(ctx, t, s)})
		}
	}
	text, err := json.MarshalIndent(k, "", " ")
	if err == nil {
		err = os.WriteFile(upgradeFile, append(text, '\n'), 0o600)
	}
	if err != nil {
		t.Error(err)
	}
}

func messages(ctx context.Context, t testing.TB, s jetstream.Stream) (all []keptMessage) {
	for seq := s.CachedInfo().State.FirstSeq; seq <= s.CachedInfo().State.LastSeq; seq++ {
		m, err := s.GetMsg(ctx, seq)
		if err != nil { // one that was acknowledged, or has a newer value
			continue
		}
		for name := range m.Header {
			if strings.HasPrefix(name, "Nats-Expected-") || strings.HasPrefix(name, "Nats-Batch-") {
				m.Header.Del(name)
			}
		}
		all = append(all, keptMessage{m.Subject, m.Header, string(m.Data)})
	}
	if s.CachedInfo().State.Msgs != uint64(len(all)) {
		t.Errorf("%s: %d of %d messages were read", s.CachedInfo().Config.Name, len(all), s.CachedInfo().State.Msgs)
	}
	return all
}

var written = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)

// restore puts it into a folder, as if it had been left there at another time.
func (k keeping) restore(t *testing.T, data string, at time.Time) {
	t.Helper()
	moved := func(text string) string {
		return written.ReplaceAllStringFunc(text, func(one string) string {
			then, err := time.Parse(time.RFC3339Nano, one)
			if err != nil || then.Year() < 2000 { // no time at all
				return one
			}
			return then.Add(at.Sub(k.At)).UTC().Format(time.RFC3339Nano)
		})
	}
	js, closed := engine(t, data)
	defer closed()
	for _, s := range k.Streams {
		if _, err := js.CreateStream(t.Context(), s.Config); err != nil {
			t.Fatal(err)
		}
		for _, one := range s.Messages {
			m := &nats.Msg{Subject: one.Subject, Header: nats.Header{}, Data: []byte(moved(one.Data))}
			for name, values := range one.Header {
				m.Header.Set(name, moved(values[0]))
			}
			if _, err := js.PublishMsg(t.Context(), m); err != nil {
				t.Fatalf("%s: %v", one.Subject, err)
			}
		}
	}
}
