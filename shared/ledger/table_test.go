package ledger_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/ledger/ledgertest"
)

// cloudTable is a ledger in a cloud's table, with what is done behind its back.
type cloudTable interface {
	ledger.Ledger
	count(t *testing.T, of string, many int) // adds to a tally
	expire(t *testing.T, part, sort string)  // has a row be past its time
}

// everything is what functions ask of a ledger, beyond the quotas too.
func everything(t *testing.T, l cloudTable) {
	t.Helper()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	l.count(t, "strays", ledger.MaxStrays-1)
	for n := range 2 {
		stray(t, l, fmt.Sprintf("5abcde5a%016x", n), at)
		l.count(t, "strays", ledger.MaxStrays-1) // the next one has the same slot
	}
	must(l.Save(t.Context(), "baidu.bj.havip-1", []byte("{}"), 0))
	_, _, err := l.Load(t.Context(), "baidu.bj.havip-1")
	must(nil, err)
	must(nil, l.Create(t.Context(), map[string][]byte{havip.EventKey("1"): []byte("{}")}))
	must(nil, l.Archive(t.Context(), story(id(story("", at).HAVIP, 1), at)))
	must(l.Story(t.Context(), id(story("", at).HAVIP, 1)))
	must(l.Story(t.Context(), "5abcde5a0000000000000001"))
	must(l.Bury(t.Context(), ledger.NewDeadLetter([]byte("x"), "no event", at)))
	l.count(t, "dead", ledger.MaxDead)
	must(l.Bury(t.Context(), ledger.NewDeadLetter([]byte("y"), "no event", at)))
}

// testPage reads pages of twenty among 120 stories; asked counts the requests.
func testPage(t *testing.T, l ledger.Ledger, asked *int) {
	t.Helper()
	for n := range 120 {
		s := story(id(story("", at).HAVIP, n), at.Add(time.Duration(n)*time.Second))
		if err := l.Archive(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"", story("", at).HAVIP.String()} {
		for from, n := "", 0; n < 3; n++ {
			*asked = 0
			found, next, err := l.Stories(t.Context(), key, from, 20)
			if err != nil || len(found) != 20 || *asked != 1 {
				t.Errorf("of %q from %q: %d stories by %d requests, %v", key, from, len(found), *asked, err)
			}
			from = next
		}
	}
}

// kept is how long the rows of a part are kept, by what it begins with.
type kept map[string]time.Duration

// remembered writes one of each: what is forgotten has its expiry, and records and what
// is merely counted have none.
func remembered(t *testing.T, l ledger.Ledger) kept {
	t.Helper()
	for _, key := range []string{"baidu.bj.havip-1", havip.EventKey("1")} {
		if _, err := l.Save(t.Context(), key, []byte("{}"), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Archive(t.Context(), story("s", at)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Bury(t.Context(), ledger.NewDeadLetter([]byte("x"), "no event", at)); err != nil {
		t.Fatal(err)
	}
	stray(t, l, "5abcde5a0000000000000001", at)
	return kept{
		"value:baidu": 0, "tally": 0, "value:event": 48 * time.Hour, "value:stray": 48 * time.Hour,
		"strays": 48 * time.Hour, "stories:" + story("", at).HAVIP.Shelf(): ledger.Keep, "dead": ledger.Keep, "letter:": ledger.Keep,
	}
}

// check holds the expiry of a row against it, and returns how long it is kept.
func (k kept) check(t *testing.T, part string, expires int64) time.Duration {
	t.Helper()
	for prefix, want := range k {
		if !strings.HasPrefix(part, prefix) {
			continue
		}
		left := time.Duration(0)
		if expires > 0 {
			left = time.Until(time.Unix(expires, 0)).Round(time.Minute)
		}
		if left != want {
			t.Errorf("%s expires in %s, want %s", part, left, want)
		}
		return want
	}
	t.Errorf("nobody knows %s", part)
	return 0
}

// A table deletes what has expired some days later; until then it counts as gone.
func TestTableExpired(t *testing.T) { onTables(t, testExpired) }

// A story that is archived with another end is told once, by its last one.
func TestTableArchivedAgain(t *testing.T) {
	onTables(t, func(t *testing.T, l cloudTable) {
		s := story(id(story("", at).HAVIP, 1), at)
		for n := range 2 {
			s.EndedAt = at.Add(time.Duration(n) * time.Hour)
			if err := l.Archive(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		for _, key := range []string{"", s.HAVIP.String()} {
			if found, _, err := l.Stories(t.Context(), key, "", 10); err != nil || len(found) != 1 || !found[0].EndedAt.Equal(s.EndedAt) {
				t.Errorf("of %q there are %+v, %v", key, found, err)
			}
		}
	})
}

// onTables runs a test on a table of each cloud.
func onTables(t *testing.T, test func(*testing.T, cloudTable)) {
	t.Helper()
	t.Parallel()
	for name, open := range map[string]func(*testing.T) cloudTable{
		"DynamoDB":   func(t *testing.T) cloudTable { return dynamoDBAt(t, ledgertest.DynamoDB(t)) },
		"Tablestore": func(t *testing.T) cloudTable { return openTablestore(t).(tablestoreLedger) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func testExpired(t *testing.T, l cloudTable) {
	key := havip.EventKey("1")
	first, err := l.Save(t.Context(), key, []byte("old"), 0)
	if err != nil {
		t.Fatal(err)
	}
	l.expire(t, "value:"+key, "value")
	if text, rev, err := l.Load(t.Context(), key); rev != 0 || err != nil {
		t.Errorf("it still says %q, %v", text, err)
	}
	if rev, err := l.Save(t.Context(), key, []byte("new"), 0); err != nil || rev <= first {
		t.Errorf("the next one has revision %d after %d, %v", rev, first, err)
	}

	s, letter := story("", at), ledger.NewDeadLetter([]byte("x"), "no event", at)
	s.ID = id(s.HAVIP, 1)
	if err := l.Archive(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Bury(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	l.expire(t, "stories:"+s.HAVIP.Shelf(), s.ID)
	l.expire(t, "dead", letter.ID)
	for _, key := range []string{"", s.HAVIP.String()} {
		if found := pages(t, l, key, 10); len(found) != 0 {
			t.Errorf("the history of %q is %v", key, found)
		}
	}
	if found, err := l.DeadLetters(t.Context()); len(found) != 0 || err != nil {
		t.Errorf("the dead letters are %v, %v", found, err)
	}
}
