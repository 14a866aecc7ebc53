package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// Every ledger passes the same suite.
func TestLedger(t *testing.T) {
	for name, open := range map[string]func(*testing.T) ledger.Ledger{
		"Memory":    func(*testing.T) ledger.Ledger { return ledger.NewMemory() },
		"JetStream": openJetStream,
		"Redis":     openRedis,
	} {
		t.Run(name, func(t *testing.T) {
			l := open(t)
			for name, test := range map[string]func(*testing.T, ledger.Ledger){
				"records":           testRecords,
				"compare and set":   testCompareAndSet,
				"one of many":       testOneOfMany,
				"revisions":         testRevisions,
				"stories":           testStories,
				"dead letters":      testDeadLetters,
				"a context is over": testContext,
			} {
				t.Run(name, func(t *testing.T) { test(t, l) })
			}
		})
	}
}

var at = time.Date(2026, 11, 22, 3, 0, 0, 123456789, time.UTC)

func story(id string, started time.Time) havip.Story {
	return havip.Story{
		ID: id, HAVIP: havip.Key{Cloud: "alibaba", Region: "cn-hangzhou", ID: "havip-bp1orders"}, Name: "orders-db",
		StartedAt: started, EndedAt: started.Add(time.Second), Outcome: havip.Attached, Holders: []string{"i-db1"},
	}
}

func record(id string) havip.Record {
	s := story(id, at)
	return havip.Record{
		N: 3, Seen: map[string]havip.Seen{"event": {Story: id, At: at}}, Story: &s,
		Marks:   map[string]havip.Mark{"i-db1": {Failed: true, At: at, Since: at}},
		Pending: &havip.PendingCall{Verb: havip.Attach, Instance: "i-db2", Token: "token", SentAt: at},
		Outbox:  []havip.Letter{{ID: "letter", Ended: &s}},
	}
}

func testRecords(t *testing.T, l ledger.Ledger) {
	none, rev, err := l.Load(t.Context(), "alibaba.cn-hangzhou.havip-none")
	if err != nil || rev != 0 || !reflect.DeepEqual(none, havip.Record{}) {
		t.Errorf("of none: %+v, revision %d, %v", none, rev, err)
	}
	want := record("round-trip")
	saved, err := l.Save(t.Context(), "alibaba.cn-hangzhou.havip-1", want, 0)
	if err != nil || saved == 0 {
		t.Fatalf("save: revision %d, %v", saved, err)
	}
	want.Story.Holders[0] = "i-changed-after-it-was-saved"
	got, rev, err := l.Load(t.Context(), "alibaba.cn-hangzhou.havip-1")
	want.Story.Holders[0] = "i-db1"
	if err != nil || rev != saved || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v at %d, %v; want %+v at %d", got, rev, err, want, saved)
	}
}

func testCompareAndSet(t *testing.T, l ledger.Ledger) {
	const key = "baidu.bj.havip-cas"
	first, err := l.Save(t.Context(), key, havip.Record{N: 1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	second, err := l.Save(t.Context(), key, havip.Record{N: 2}, first)
	if err != nil || second == first {
		t.Fatalf("revision %d after %d, %v", second, first, err)
	}
	for name, stale := range map[string]havip.Revision{"none": 0, "the one before": first, "one to come": second + 1} {
		if rev, err := l.Save(t.Context(), key, havip.Record{N: 2}, stale); !errors.Is(err, havip.ErrConflict) || rev != 0 {
			t.Errorf("against %s: revision %d, %v", name, rev, err)
		}
	}
	if rev, err := l.Save(t.Context(), "baidu.bj.havip-absent", havip.Record{}, 7); !errors.Is(err, havip.ErrConflict) {
		t.Errorf("against a revision of no record: %d, %v", rev, err)
	}
	if got, rev, err := l.Load(t.Context(), key); err != nil || rev != second || got.N != 2 {
		t.Errorf("a lost save changed it: %+v at %d, %v", got, rev, err)
	}
}

// Of many writers at one revision exactly one wins, round after round.
func testOneOfMany(t *testing.T, l ledger.Ledger) {
	const key, writers, rounds = "baidu.bj.havip-race", 8, 10
	var rev havip.Revision
	for round := range rounds {
		var mu sync.Mutex
		var won []havip.Revision
		var all sync.WaitGroup
		for n := range writers {
			all.Go(func() {
				next, err := l.Save(context.WithoutCancel(t.Context()), key, havip.Record{N: round*writers + n}, rev)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won = append(won, next)
				case !errors.Is(err, havip.ErrConflict):
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		all.Wait()
		if len(won) != 1 {
			t.Fatalf("round %d: %d writers won", round, len(won))
		}
		rev = won[0]
	}
}

func testRevisions(t *testing.T, l ledger.Ledger) {
	var rev havip.Revision
	seen := map[havip.Revision]bool{0: true}
	for n := range 20 {
		next, err := l.Save(t.Context(), "baidu.bj.havip-rev", havip.Record{N: n}, rev)
		if err != nil || seen[next] {
			t.Fatalf("save %d: revision %d again or none, %v", n, next, err)
		}
		seen[next], rev = true, next
	}
}

func testStories(t *testing.T, l ledger.Ledger) {
	other := story("other", at.Add(time.Minute))
	other.HAVIP.ID, other.Name = "havip-bp1orders2", "orders2"
	stray := havip.Story{ID: "stray", StartedAt: at.Add(-time.Minute), HAVIP: havip.Key{ID: "no such > name *"}}
	for _, s := range []havip.Story{story("old", at), other, story("new", at.Add(time.Hour)), stray, story("old", at)} {
		if err := l.Archive(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for key, want := range map[string][]string{
		"":                                    {"new", "other", "old", "stray"},
		"alibaba.cn-hangzhou.havip-bp1orders": {"new", "old"},
		other.HAVIP.String():                  {"other"},
		"alibaba.cn-hangzhou.havip-none":      nil,
	} {
		got, err := l.Archived(t.Context(), key)
		var ids []string
		for _, s := range got {
			ids = append(ids, s.ID)
		}
		if err != nil || !slices.Equal(ids, want) {
			t.Errorf("of %q: %v, %v; want %v", key, ids, err, want)
		}
	}
	got, err := l.Archived(t.Context(), other.HAVIP.String())
	if err != nil || !reflect.DeepEqual(got, []havip.Story{other}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func testDeadLetters(t *testing.T, l ledger.Ledger) {
	first := ledger.NewDeadLetter([]byte("\x00\xff not JSON"), "not UTF-8", at)
	other := ledger.NewDeadLetter([]byte("{}"), "no specversion", at.Add(time.Minute))
	again := ledger.NewDeadLetter(first.Bytes, "not UTF-8", at.Add(time.Hour))
	for _, d := range []ledger.DeadLetter{first, other, again} {
		if err := l.Bury(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	joined := again
	joined.Attempts, joined.FirstAt = 2, first.FirstAt
	if got, err := l.DeadLetters(t.Context()); err != nil || !reflect.DeepEqual(got, []ledger.DeadLetter{joined, other}) {
		t.Errorf("got %+v, %v; want %+v", got, err, joined)
	}
	if got, err := l.Exhume(t.Context(), first.ID); err != nil || !reflect.DeepEqual(got, joined) {
		t.Errorf("exhumed %+v, %v", got, err)
	}
	for _, id := range []string{first.ID, "never-there", "no such > name *"} {
		if got, err := l.Exhume(t.Context(), id); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("exhumed %q: %+v, %v", id, got, err)
		}
	}
	if got, err := l.DeadLetters(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("left are %+v, %v", got, err)
	}
}

// A ledger that was not asked in time has not answered: it neither hangs nor
// says that there is nothing.
func testContext(t *testing.T, l ledger.Ledger) {
	if _, local := l.(*ledger.Memory); local {
		t.Skip("memory answers at once")
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := l.Load(over, "baidu.bj.havip-cas"); err == nil {
		t.Error("it loaded all the same")
	}
	if _, err := l.Save(over, "baidu.bj.havip-late", havip.Record{}, 0); err == nil || errors.Is(err, havip.ErrConflict) {
		t.Errorf("saved: %v", err)
	}
}

func ExampleNewDeadLetter() {
	d := ledger.NewDeadLetter([]byte("not JSON"), "it is no CloudEvent", at)
	fmt.Println(d.ID, d.Attempts)
	// Output: 62b8125a6f6d924ec53345b5 1
}
