package ledger_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/ledger/ledgertest"
	"havip-functions/shared/ledger/tablestore"
)

// tablestoreLedger is a ledger and its server.
type tablestoreLedger struct {
	*ledger.Table
	*ledgertest.Tablestore
}

// owner has the keys of the tests.
var owner = havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "testsk", SecurityToken: "token"}

// openTablestore opens one that is busy now and then.
func openTablestore(t testing.TB) ledger.Ledger { return tablestoreAt(t, nil) }

// tablestoreAt opens a ledger that is asked by fault before each call.
func tablestoreAt(t testing.TB, fault func(op string) ledgertest.Fault) tablestoreLedger {
	t.Helper()
	s := ledgertest.NewTablestore(t, owner)
	l, err := ledger.OpenTablestore(t.Context(), s.Address(), "", func(context.Context) (havip.Credentials, error) { return owner, nil })
	if err != nil {
		t.Fatal(err)
	}
	s.Fail(fault)
	return tablestoreLedger{l, s}
}

func rowAt(part, sort string) []tablestore.Cell {
	return []tablestore.Cell{{Name: "pk", Value: part}, {Name: "sk", Value: sort}}
}

func (l tablestoreLedger) count(t *testing.T, of string, many int) {
	t.Helper()
	r := tablestore.Row{Key: rowAt("tally", of), Columns: []tablestore.Cell{{Name: "n", Value: int64(many)}}}
	if _, err := l.Client(owner).Add(t.Context(), ledgertest.LedgerTable, r); err != nil {
		t.Fatal(err)
	}
}

// expire finds the row and its copies in the lists.
func (l tablestoreLedger) expire(t *testing.T, part, sort string) {
	t.Helper()
	const table = ledgertest.LedgerTable + "_history"
	for _, r := range l.rows(t, table) {
		itself, copied := text(r, "pk") == part && text(r, "sk") == sort, text(r, "part") == part && text(r, "sort") == sort
		if !itself && !copied {
			continue
		}
		for n, c := range r.Columns {
			if r.Columns[n].At = 0; c.Name == "expires" {
				r.Columns[n].Value = time.Now().Add(-time.Minute).Unix()
			}
		}
		if err := l.Client(owner).PutRow(t.Context(), table, r, tablestore.Anyhow); err != nil {
			t.Fatal(err)
		}
	}
}

// rows are all those of a table.
func (l tablestoreLedger) rows(t *testing.T, table string) []tablestore.Row {
	t.Helper()
	edge := func(e tablestore.Edge) []tablestore.Cell {
		return []tablestore.Cell{{Name: "pk", Value: e}, {Name: "sk", Value: e}}
	}
	rows, more, err := l.Client(owner).GetRange(t.Context(), table, tablestore.Range{From: edge(tablestore.Min), To: edge(tablestore.Max)})
	if err != nil || more != nil {
		t.Fatal(err, more)
	}
	return rows
}

func text(r tablestore.Row, name string) string {
	s, _ := value(r, name).(string)
	return s
}

func value(r tablestore.Row, name string) any {
	for _, c := range slices.Concat(r.Key, r.Columns) {
		if c.Name == name {
			return c.Value
		}
	}
	return nil
}

// A write whose reply is lost is tried again, and finds itself: one of none before, and
// one of a revision.
func TestTablestoreLostReply(t *testing.T) {
	t.Parallel()
	lost := 0
	l := tablestoreAt(t, func(op string) ledgertest.Fault {
		if op == "PutRow" {
			lost++
		}
		return ledgertest.Fault{Lose: op == "PutRow" && lost%3 != 0}
	})
	var saved havip.Revision
	for n, text := range []string{"1", "2"} {
		rev, err := l.Save(t.Context(), "baidu.bj.havip-1", []byte(text), saved)
		if saved = rev; err != nil || lost != 3*(n+1) {
			t.Fatalf("saved %s at %d, %v, at try %d", text, rev, err, lost)
		}
		if got, rev, err := l.Load(t.Context(), "baidu.bj.havip-1"); string(got) != text || rev != saved || err != nil {
			t.Errorf("there is %q at %d, %v; want %s at %d", got, rev, err, text, saved)
		}
	}
}

// What functions do needs the rights that deploy/alibaba gives them, each of them.
func TestTablestoreRights(t *testing.T) {
	t.Parallel()
	l := openTablestore(t).(tablestoreLedger)
	everything(t, l)
	var want []string
	kept, history := ledger.TablestoreRights()
	for _, call := range kept {
		want = append(want, call+" "+ledgertest.LedgerTable)
	}
	for _, call := range history {
		want = append(want, call+" "+ledgertest.LedgerTable+"_history")
	}
	slices.Sort(want)
	if used := l.Done(); !slices.Equal(used, want) {
		t.Errorf("it did %q, want %q", used, want)
	}
}

// A page is one request, however many stories there are.
func TestTablestorePage(t *testing.T) {
	t.Parallel()
	asked := 0
	testPage(t, tablestoreAt(t, func(string) ledgertest.Fault { asked++; return ledgertest.Fault{} }), &asked)
}

// Nothing that is forgotten lies in the table that keeps, and nothing else in the one
// that forgets, which does so after all of it has expired.
func TestTablestoreForgets(t *testing.T) {
	t.Parallel()
	l := openTablestore(t).(tablestoreLedger)
	kept := remembered(t, l)
	for table, want := range map[string]int{"": 3, "_history": 9} {
		rows := l.rows(t, ledgertest.LedgerTable+table)
		if len(rows) != want {
			t.Errorf("%d rows in TABLE%s, want %d", len(rows), table, want)
		}
		for _, r := range rows {
			part, expires := text(r, "pk"), value(r, "expires")
			if strings.HasPrefix(part, "list:") {
				part = text(r, "part")
			}
			unix, _ := expires.(int64)
			if life := kept.check(t, part, unix); (life > 0) != (table != "") {
				t.Errorf("%s, kept for %s, lies in TABLE%s", part, life, table)
			}
		}
	}
	l.Age(ledger.Keep + 12*time.Hour)
	if rows := l.rows(t, ledgertest.LedgerTable+"_history"); len(rows) != 9 {
		t.Errorf("%d rows are left, and may not have expired", len(rows))
	}
	l.Age(13 * time.Hour)
	if rows := l.rows(t, ledgertest.LedgerTable+"_history"); len(rows) != 0 {
		t.Errorf("%d rows are never forgotten", len(rows))
	}
	if _, rev, err := l.Load(t.Context(), "baidu.bj.havip-1"); rev == 0 || err != nil {
		t.Errorf("the record is forgotten, %v", err)
	}
	if _, err := l.Save(t.Context(), havip.EventKey("1"), []byte("{}"), 0); err != nil {
		t.Errorf("an event after all that time: %v", err)
	}
}

// A stray that had to go is in no history, and leaves nothing behind.
func TestTablestoreStrayGoes(t *testing.T) {
	t.Parallel()
	l := openTablestore(t).(tablestoreLedger)
	for n := range 2 {
		stray(t, l, "5abcde5a000000000000000"+string(rune('0'+n)), at)
		l.count(t, "strays", ledger.MaxStrays-1)
	}
	if got := pages(t, l, "", 10); !slices.Equal(got, []string{"5abcde5a0000000000000001"}) {
		t.Errorf("the strays are %v", got)
	}
	if rows := l.rows(t, ledgertest.LedgerTable+"_history"); len(rows) != 3 {
		t.Errorf("%d rows, want the stray, its slot and its place in the history", len(rows))
	}
}

// A range has 4 MB at once: a letter that is longer takes several.
func TestTablestoreLongLetter(t *testing.T) {
	t.Parallel()
	l := openTablestore(t)
	want := ledger.NewDeadLetter(bytes.Repeat([]byte("0123456789"), 1_000_000), "too long", at)
	if _, err := l.Bury(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Exhume(t.Context(), want.ID); err != nil || !bytes.Equal(got.Bytes, want.Bytes) {
		t.Errorf("%d bytes are left, %v", len(got.Bytes), err)
	}
	if rows := l.(tablestoreLedger).rows(t, ledgertest.LedgerTable+"_history"); len(rows) != 0 {
		t.Errorf("%d rows stay behind", len(rows))
	}
}
