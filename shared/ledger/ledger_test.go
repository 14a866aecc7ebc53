package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// Every ledger passes the same suite.
func TestLedger(t *testing.T) {
	for name, open := range map[string]func(testing.TB) ledger.Ledger{
		"Memory":     func(testing.TB) ledger.Ledger { return ledger.NewMemory() },
		"JetStream":  openJetStream,
		"Redis":      openRedis,
		"a cluster":  openRedisCluster,
		"DynamoDB":   openDynamoDB,
		"Tablestore": openTablestore,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := open(t)
			for name, test := range map[string]func(*testing.T, ledger.Ledger){
				"values":            testRecords,
				"keys":              testKeys,
				"clock":             testClock,
				"create":            testCreate,
				"compare and set":   testCompareAndSet,
				"one of many":       testOneOfMany,
				"revisions":         testRevisions,
				"stories":           testStories,
				"dead letters":      testDeadLetters,
				"a context is over": testContext,
			} {
				t.Run(name, func(t *testing.T) { test(t, l) })
			}
			t.Run("large dead letters", func(t *testing.T) { testLargeLetters(t, l) })
			t.Run("quota of dead letters", func(t *testing.T) { testQuotas(t, l) }) // they crowd out the others
			t.Run("quota of strays", func(t *testing.T) { testStrayQuota(t, l) })
		})
	}
}

var at = time.Date(2026, 11, 22, 3, 0, 0, 123456789, time.UTC)

func story(id string, started time.Time) havip.Story {
	return havip.Story{
		Origin:  havip.Origin{ID: id, HAVIP: havip.Key{Cloud: "alibaba", Region: "cn-hangzhou", ID: "havip-bp1orders"}, Name: "orders-db", StartedAt: started},
		Reading: havip.Reading{Holders: []string{"i-db1"}},
		Ending:  havip.Ending{EndedAt: started.Add(time.Second), Outcome: havip.Attached},
	}
}

func testRecords(t *testing.T, l ledger.Ledger) {
	for _, key := range []string{"alibaba.cn-hangzhou.havip-1", havip.EventKey("0123"), havip.StrayKey("0123")} {
		none, rev, err := l.Load(t.Context(), key)
		if err != nil || rev != 0 || none != nil {
			t.Errorf("of none: %q, revision %d, %v", none, rev, err)
		}
		value := []byte(`{"n":3,"settled":"<&>"}`)
		saved, err := l.Save(t.Context(), key, value, 0)
		if err != nil || saved == 0 {
			t.Fatalf("save: revision %d, %v", saved, err)
		}
		want := string(value)
		value[0] = 'x' // after it was saved
		if got, rev, err := l.Load(t.Context(), key); err != nil || rev != saved || string(got) != want {
			t.Errorf("got %q at %d, %v; want %q at %d", got, rev, err, want, saved)
		}
	}
}

// What is no key of ours is refused before the ledger is asked, and told apart
// from a ledger that fails.
func testKeys(t *testing.T, l ledger.Ledger) {
	for _, key := range []string{"", "a b", "a..b", ".a", "a.", "a>", "a*", "a\x00b", "\xff", "a/b", strings.Repeat("a", 300)} {
		if _, _, err := l.Load(t.Context(), key); !errors.Is(err, ledger.ErrKey) {
			t.Errorf("load %q: %v", key, err)
		}
		if _, err := l.Save(t.Context(), key, []byte("{}"), 0); !errors.Is(err, ledger.ErrKey) {
			t.Errorf("save %q: %v", key, err)
		}
		if _, err := l.Story(t.Context(), key); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("story %q: %v", key, err)
		}
		if _, err := l.DeadLetter(t.Context(), key); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("dead letter %q: %v", key, err)
		}
	}
}

// What is created together is there together; what was there stays.
func testCreate(t *testing.T, l ledger.Ledger) {
	values := map[string][]byte{}
	for n := range 1200 {
		values[havip.EventKey(fmt.Sprintf("create-%d", n))] = fmt.Appendf(nil, "%d", n)
	}
	first := havip.EventKey("create-7")
	if _, err := l.Save(t.Context(), first, []byte("first"), 0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Create(t.Context(), values); err != nil {
			t.Fatal(err)
		}
	}
	for key, value := range values {
		if key == first {
			value = []byte("first")
		}
		if got, rev, err := l.Load(t.Context(), key); err != nil || rev == 0 || string(got) != string(value) {
			t.Fatalf("%s: %q at %d, %v; want %q", key, got, rev, err, value)
		}
	}
	if err := l.Create(t.Context(), map[string][]byte{"a b": nil}); !errors.Is(err, ledger.ErrKey) {
		t.Errorf("no key of ours: %v", err)
	}
}

func testClock(t *testing.T, l ledger.Ledger) {
	now, err := l.Now(t.Context())
	if off := time.Since(now).Abs(); err != nil || off > 5*time.Second {
		t.Errorf("it tells %s, %s from now: %v", now, off, err)
	}
}

func testCompareAndSet(t *testing.T, l ledger.Ledger) {
	const key = "baidu.bj.havip-cas"
	first, err := l.Save(t.Context(), key, []byte("1"), 0)
	if err != nil {
		t.Fatal(err)
	}
	second, err := l.Save(t.Context(), key, []byte("2"), first)
	if err != nil || second == first {
		t.Fatalf("revision %d after %d, %v", second, first, err)
	}
	for name, stale := range map[string]havip.Revision{"none": 0, "the one before": first, "one to come": second + 1} {
		if rev, err := l.Save(t.Context(), key, []byte("2"), stale); !errors.Is(err, havip.ErrConflict) || rev != 0 {
			t.Errorf("against %s: revision %d, %v", name, rev, err)
		}
	}
	if rev, err := l.Save(t.Context(), "baidu.bj.havip-absent", []byte("1"), 7); !errors.Is(err, havip.ErrConflict) {
		t.Errorf("against a revision of no record: %d, %v", rev, err)
	}
	if got, rev, err := l.Load(t.Context(), key); err != nil || rev != second || string(got) != "2" {
		t.Errorf("a lost save changed it: %q at %d, %v", got, rev, err)
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
				next, err := l.Save(context.WithoutCancel(t.Context()), key, fmt.Appendf(nil, "%d", round*writers+n), rev)
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
		next, err := l.Save(t.Context(), "baidu.bj.havip-rev", fmt.Appendf(nil, "%d", n), rev)
		if err != nil || seen[next] {
			t.Fatalf("save %d: revision %d again or none, %v", n, next, err)
		}
		seen[next], rev = true, next
	}
}

// stray is an event that concerned nobody, as it is remembered.
func stray(t *testing.T, l ledger.Ledger, id string, ended time.Time) {
	t.Helper()
	s := havip.Story{Origin: havip.Origin{ID: id, StartedAt: ended, HAVIP: havip.Key{ID: "no such > name *"}}, Ending: havip.Ending{EndedAt: ended, Outcome: havip.Refused}}
	if _, err := havip.Save(t.Context(), l, havip.StrayKey(id), havip.Record{Story: &s}, 0); err != nil {
		t.Fatal(err)
	}
}

// id is one of a story, on the shelf of its HAVIP.
func id(k havip.Key, n int) string { return fmt.Sprintf("%s%016x", k.Shelf(), n) }

func testStories(t *testing.T, l ledger.Ledger) {
	orders, other := story("", at), story("", at)
	other.HAVIP.ID, other.Name = "havip-bp1orders2", "orders2"
	var all []string // as they ended
	archive := func(s havip.Story, n int, ended time.Time) {
		s.ID, s.EndedAt = id(s.HAVIP, n), ended
		for range 2 { // the second time is no error
			if err := l.Archive(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, s.ID)
	}
	const many = 250
	for n := range many {
		ended := at.Add(time.Duration(n) * time.Second)
		switch {
		case n%10 == 3:
			stray(t, l, fmt.Sprintf("5abcde5a%016x", n), ended)
			all = append(all, fmt.Sprintf("5abcde5a%016x", n))
		case n == 20 || n == 120:
			archive(other, n, ended)
		default:
			archive(orders, n, ended)
		}
	}
	slices.Reverse(all)
	ofOrders := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return !strings.HasPrefix(id, orders.HAVIP.Shelf()) })
	for key, want := range map[string][]string{
		"":                            all,
		orders.HAVIP.String():         ofOrders,
		other.HAVIP.String():          {id(other.HAVIP, 120), id(other.HAVIP, 20)},
		"alibaba.cn-hangzhou.havip-0": nil,
	} {
		for _, most := range []int{7, 100, 1000} {
			if got := pages(t, l, key, most); !slices.Equal(got, want) {
				t.Errorf("of %q, %d at a time: %d stories, want %d: %.100q …", key, most, len(got), len(want), got)
			}
		}
	}
	for _, name := range []string{"havip-19019", "havip-41400"} { // whose shelves are the same
		s := story("", at)
		s.HAVIP = havip.Key{Cloud: "baidu", Region: "bj", ID: name}
		archive(s, len(name)+int(name[6]), at)
		if got := pages(t, l, s.HAVIP.String(), 5); len(got) != 1 || got[0] != all[len(all)-1] {
			t.Errorf("of %s there are %v", name, got)
		}
	}
	want := other
	want.ID, want.EndedAt = id(other.HAVIP, 20), at.Add(20*time.Second)
	if got, err := l.Story(t.Context(), want.ID); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := l.Story(t.Context(), "5abcde5a0000000000000003"); err != nil || got.Outcome != havip.Refused {
		t.Errorf("a stray: %+v, %v", got, err)
	}
	if _, err := l.Story(t.Context(), id(orders.HAVIP, 99999)); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("of none: %v", err)
	}
	if _, _, err := l.Stories(t.Context(), "", "no such place", 7); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("from nowhere: %v", err)
	}
}

// pages reads all of a history, so many at a time.
func pages(t *testing.T, l ledger.Ledger, key string, most int) (ids []string) {
	t.Helper()
	for from, n := "", 0; ; n++ {
		found, next, err := l.Stories(t.Context(), key, from, most)
		if err != nil || len(found) > most || n > 300 {
			t.Fatalf("page %d of %q from %q: %d stories, %v", n, key, from, len(found), err)
		}
		for _, s := range found {
			ids = append(ids, s.ID)
		}
		if next == "" {
			return ids
		}
		from = next
	}
}

// Beyond a quota the oldest go, and nothing else does.
func testQuotas(t *testing.T, l ledger.Ledger) {
	before, err := l.DeadLetters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range before {
		if _, err := l.Exhume(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
	}
	for n := range ledger.MaxDead + 3 {
		full, err := l.Bury(t.Context(), ledger.NewDeadLetter(fmt.Appendf(nil, "quota %d", n), "x", at.Add(time.Duration(n)*time.Second)))
		if err != nil || full != (n >= ledger.MaxDead) {
			t.Fatalf("letter %d: full %t, %v", n, full, err)
		}
	}
	letters, err := l.DeadLetters(t.Context())
	if err != nil || len(letters) != ledger.MaxDead {
		t.Fatalf("%d letters, %v", len(letters), err)
	}
	for i, want := range map[int]string{0: fmt.Sprintf("quota %d", ledger.MaxDead+2), len(letters) - 1: "quota 3"} {
		if d, err := l.DeadLetter(t.Context(), letters[i].ID); err != nil || string(d.Bytes) != want || letters[i].Bytes != nil {
			t.Errorf("letter %d is %+v, %v; want %s", i, d, err, want)
		}
	}
}

// Large letters keep their place and their reason, and the oldest lose their bytes.
func testLargeLetters(t *testing.T, l ledger.Ledger) {
	const size, count = 1_000_000, ledger.MaxDeadBytes/1_000_000 + 3
	large := func(n int) ledger.DeadLetter {
		return ledger.NewDeadLetter(bytes.Repeat([]byte{byte(n)}, size), "x", at.Add(time.Duration(n+5000)*time.Second))
	}
	for n := range count {
		if _, err := l.Bury(t.Context(), large(n)); err != nil {
			t.Fatal(err)
		}
	}
	for n, kept := range map[int]bool{0: false, 1: false, 4: true, count - 1: true} {
		want := large(n)
		got, err := l.DeadLetter(t.Context(), want.ID)
		if err != nil || got.Size != size || bytes.Equal(got.Bytes, want.Bytes) != kept {
			t.Errorf("letter %d: %d bytes of %d, %v; kept should be %t", n, len(got.Bytes), got.Size, err, kept)
		}
	}
	if letters, err := l.DeadLetters(t.Context()); err != nil || len(letters) < count {
		t.Errorf("%d letters are left, %v", len(letters), err)
	}
}

func testStrayQuota(t *testing.T, l ledger.Ledger) {
	save := func(n int) {
		if _, err := l.Save(t.Context(), havip.StrayKey(fmt.Sprintf("quota-%d", n)), []byte("{}"), 0); err != nil {
			t.Error(err)
		}
	}
	come := func(begin, end int) {
		for n := begin; n < end; n++ {
			save(n)
		}
	}
	come(0, 10)
	if slow, ok := l.(cloudTable); ok { // as if so many had come: a minute and more for each
		slow.count(t, "strays", ledger.MaxStrays-10)
	} else {
		const writers = 16
		var writing sync.WaitGroup
		for begin := range writers {
			writing.Go(func() {
				for n := 10 + begin; n < ledger.MaxStrays; n += writers {
					save(n)
				}
			})
		}
		writing.Wait()
	}
	come(ledger.MaxStrays, ledger.MaxStrays+5)
	for n, kept := range map[int]bool{0: false, 4: false, 5: true, ledger.MaxStrays + 4: true} {
		_, rev, err := l.Load(t.Context(), havip.StrayKey(fmt.Sprintf("quota-%d", n)))
		if err != nil || (rev != 0) != kept {
			t.Errorf("stray %d: revision %d, %v", n, rev, err)
		}
	}
}

func testDeadLetters(t *testing.T, l ledger.Ledger) {
	first := ledger.NewDeadLetter([]byte("\x00\xff not JSON"), "not UTF-8", at)
	first.Scope = guard.Operator
	other := ledger.NewDeadLetter([]byte("{}"), "no specversion", at.Add(time.Minute))
	again := ledger.NewDeadLetter(first.Bytes, "not UTF-8", at.Add(time.Hour))
	for _, d := range []ledger.DeadLetter{first, other, again} {
		if full, err := l.Bury(t.Context(), d); err != nil || full {
			t.Fatal(err)
		}
	}
	joined := again
	joined.Attempts, joined.FirstAt, joined.Scope = 2, first.FirstAt, guard.Operator
	bare := joined
	bare.Bytes, other.Bytes = nil, nil
	if got, err := l.DeadLetters(t.Context()); err != nil || !reflect.DeepEqual(got, []ledger.DeadLetter{bare, other}) {
		t.Errorf("got %+v, %v; want %+v", got, err, bare)
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
	if _, err := l.Save(over, "baidu.bj.havip-late", []byte("{}"), 0); err == nil || errors.Is(err, havip.ErrConflict) {
		t.Errorf("saved: %v", err)
	}
}

func ExampleNewDeadLetter() {
	d := ledger.NewDeadLetter([]byte("not JSON"), "it is no CloudEvent", at)
	fmt.Println(d.ID, d.Attempts)
	// Output: 62b8125a6f6d924ec53345b5 1
}
