package ledgertest

import (
	"cmp"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	wire "havip-functions/shared/ledger/tablestore"
)

// otsTable is a table whose key is of texts.
type otsTable struct {
	key  []string      // the names of its columns
	life time.Duration // of a column; less than none for ever
	rows []otsRow      // by their keys
}

// rules reads the tables out of deploy/alibaba/rules.tf: the names with their lives, and
// the columns of their key.
func rules(t testing.TB) map[string]*otsTable {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(Root(t), "deploy/alibaba/rules.tf"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(source), `resource "alicloud_ots_table"`)
	block, _, _ = strings.Cut(block, "\n}\n")
	_, each, _ := strings.Cut(block, "for_each")
	each, _, _ = strings.Cut(each, "\n")
	var key []string
	for _, column := range regexp.MustCompile(`name = "(\w+)"\s+type = "String"`).FindAllStringSubmatch(block, -1) {
		key = append(key, column[1])
	}
	tables := map[string]*otsTable{}
	for _, table := range regexp.MustCompile(`(\w+) = (-?\d+)`).FindAllStringSubmatch(each, -1) {
		seconds, _ := strconv.Atoi(table[2]) // these are digits
		tables[table[1]] = &otsTable{key: key, life: time.Duration(seconds) * time.Second}
	}
	if len(tables) != 2 || len(key) != 2 {
		t.Fatalf("rules.tf makes %d tables with the key %q", len(tables), key)
	}
	return tables
}

type otsRow struct {
	key     []string
	columns map[string]wire.Cell
}

func (t *otsTable) find(key []string) (int, bool) {
	return slices.BinarySearchFunc(t.rows, key, func(r otsRow, key []string) int { return slices.Compare(r.key, key) })
}

// there are the columns of a row that are not past their time.
func (t *otsTable) there(key []string, now time.Time) map[string]wire.Cell {
	n, found := t.find(key)
	if !found {
		return nil
	}
	left := map[string]wire.Cell{}
	for name, c := range t.rows[n].columns {
		if t.life < 0 || now.Sub(time.UnixMilli(c.At)) < t.life {
			left[name] = c
		}
	}
	if len(left) == 0 {
		return nil // assumption 42 of the simulator's
	}
	return left
}

func (t *otsTable) write(key []string, columns map[string]wire.Cell) {
	n, found := t.find(key)
	if !found {
		t.rows = slices.Insert(t.rows, n, otsRow{key: key})
	}
	t.rows[n].columns = columns
}

// row is one as it is sent, its columns by their names.
func (t *otsTable) row(key []string, columns map[string]wire.Cell) (r wire.Row) {
	for n, text := range key {
		r.Key = append(r.Key, wire.Cell{Name: t.key[n], Value: text})
	}
	for _, c := range columns {
		r.Columns = append(r.Columns, c)
	}
	slices.SortFunc(r.Columns, func(a, b wire.Cell) int { return strings.Compare(a.Name, b.Name) })
	return r
}

// edge reads one end of a range: texts, of which Min and Max stand before and behind all.
func (t *otsTable) edge(b []byte) (key []wire.Cell, failed *refusal) {
	rows, err := wire.Decode(b)
	if err != nil || len(rows) != 1 || len(rows[0].Key) != len(t.key) {
		return nil, &refusal{http.StatusBadRequest, "OTSInvalidPK", "Primary key schema mismatch."}
	}
	return rows[0].Key, nil
}

// compare tells on which side of an end of a range a key is.
func compare(key []string, end []wire.Cell) int {
	for n, text := range key {
		order := 0
		switch v := end[n].Value.(type) {
		case string:
			order = strings.Compare(text, v)
		case wire.Edge:
			order = cmp.Compare(wire.Max, v)*2 - 1 // after Min, before Max
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

// between are the rows from one end up to another, which is not of the range, in order.
func (t *otsTable) between(from, to []wire.Cell, backward bool) iter.Seq2[int, otsRow] {
	first := func(end []wire.Cell, behind int) int {
		return sort.Search(len(t.rows), func(n int) bool { return compare(t.rows[n].key, end) >= behind })
	}
	if backward {
		in := t.rows[first(to, 1):]
		return slices.Backward(in[:max(0, first(from, 1)-first(to, 1))])
	}
	in := t.rows[first(from, 0):]
	return slices.All(in[:max(0, first(to, 0)-first(from, 0))])
}
