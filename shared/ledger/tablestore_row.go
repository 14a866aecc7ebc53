package ledger

import (
	"strings"

	"havip-functions/shared/ledger/tablestore"
)

// listParts stands before the lists in which a story lies a second and a third time:
// a table that forgets has no indexes. What lies there tells where it comes from.
const (
	listParts = "list:"
	fromPart  = "part"
	fromSort  = "sort"
)

// lists are those in which a row with a place is found.
func (r row) lists() []string {
	switch {
	case r.ended == "":
		return nil
	case strings.HasPrefix(r.part, storyParts):
		return []string{listParts + everyone, listParts + r.part}
	}
	return []string{listParts + everyone}
}

func rowKey(part, sort string) []tablestore.Cell {
	return []tablestore.Cell{{Name: partKey, Value: part}, {Name: sortKey, Value: sort}}
}

// rangeKey is one end of a part.
func rangeKey(part string, end tablestore.Edge) []tablestore.Cell {
	return []tablestore.Cell{{Name: partKey, Value: part}, {Name: sortKey, Value: end}}
}

// cells is a row as Tablestore has it, in the part and at the place where it is to lie.
func (r row) cells(part, sort string) tablestore.Row {
	to := tablestore.Row{Key: rowKey(part, sort)}
	add := func(name string, value any) {
		to.Columns = append(to.Columns, tablestore.Cell{Name: name, Value: value})
	}
	if r.body != nil {
		add(valueText, r.body)
	}
	for name, n := range r.numbers() {
		if *n != 0 {
			add(name, *n)
		}
	}
	for name, s := range r.texts() {
		if *s != "" {
			add(name, *s)
		}
	}
	if part != r.part {
		add(fromPart, r.part)
		add(fromSort, r.sort)
	}
	return to
}

func rowIn(from tablestore.Row) (r row) {
	numbers, texts := r.numbers(), r.texts()
	texts[partKey], texts[sortKey] = &r.part, &r.sort
	texts[fromPart], texts[fromSort] = &r.part, &r.sort // behind the key
	for _, cells := range [][]tablestore.Cell{from.Key, from.Columns} {
		for _, c := range cells {
			switch v := c.Value.(type) {
			case string:
				if to := texts[c.Name]; to != nil {
					*to = v
				}
			case int64:
				if to := numbers[c.Name]; to != nil {
					*to = v
				}
			case []byte:
				r.body = v
			}
		}
	}
	return r
}
