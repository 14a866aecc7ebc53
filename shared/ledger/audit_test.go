package ledger_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/audit"
	"havip-functions/shared/ledger"
)

// engineAt runs an engine on a folder until it is stopped.
func engineAt(t *testing.T, folder string) (js jetstream.JetStream, stop func()) {
	t.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, JetStream: true, StoreDir: folder, NoLog: true, NoSigs: true, SyncAlways: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the engine is not ready")
	}
	conn, err := nats.Connect("", nats.InProcessServer(s))
	if err == nil {
		js, err = jetstream.New(conn)
	}
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() { conn.Close(); s.Shutdown(); s.WaitForShutdown() })
	t.Cleanup(stop)
	return js, stop
}

func openAudit(t *testing.T, js jetstream.JetStream) *ledger.Audit {
	t.Helper()
	a, err := ledger.OpenAudit(t.Context(), js, 1)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// holds reads the whole chain in pages, and returns how many entries there are of it.
func holds(t *testing.T, a *ledger.Audit) int {
	t.Helper()
	var head audit.Head
	for {
		lines, err := a.Read(t.Context(), head.N, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) == 0 {
			return int(head.N)
		}
		for _, l := range lines {
			if head, err = head.Follow(l); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Two hosts of a cluster write at once, each several deeds, and some the same: one chain
// has each once. After a restart in the middle it goes on.
func TestAudit(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	js, stop := engineAt(t, folder)
	const each = 20
	var writing sync.WaitGroup
	for n, a := range []*ledger.Audit{openAudit(t, js), openAudit(t, js)} {
		for i := range each {
			for _, id := range []string{fmt.Sprintf("s%d-%d", n, i), fmt.Sprint("both-", i)} {
				writing.Go(func() {
					if err := a.Append(t.Context(), audit.Deed{Kind: "story", ID: id, Scope: "reporter"}); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
	writing.Wait()
	if n := holds(t, openAudit(t, js)); n != 3*each {
		t.Errorf("%d entries, want %d", n, 3*each)
	}
	stop()
	js, _ = engineAt(t, folder)
	a := openAudit(t, js)
	for _, id := range []string{"both-1", "after"} {
		if err := a.Append(t.Context(), audit.Deed{Kind: "story", ID: id, Scope: "reporter"}); err != nil {
			t.Error(err)
		}
	}
	if n := holds(t, a); n != 3*each+1 {
		t.Errorf("%d entries after a restart, want %d", n, 3*each+1)
	}
	stream, err := js.Stream(t.Context(), "HAVIP-AUDIT")
	if err != nil {
		t.Fatal(err)
	}
	if stream.Purge(t.Context()) == nil || stream.DeleteMsg(t.Context(), 1) == nil {
		t.Error("the engine deletes entries")
	}
	if _, err := a.Read(t.Context(), 1000, 1); err != nil && !errors.Is(err, ledger.ErrNotFound) {
		t.Error(err)
	}
}
