package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger/tablestore"
)

// tablestoreTables are two tables of Alibaba's Tablestore, which forgets by the table
// and not by the row: records and tallies stay, in TABLE, and all that is forgotten
// lies in TABLE_history, whose rows go a day after the last of ours would. Until then
// what is past its own expiry counts as gone. deploy/alibaba/rules.tf makes both.
// What is read has been written before, histories too.
// https://www.alibabacloud.com/help/en/tablestore/data-versions-and-ttl
type tablestoreTables struct {
	client *tablestore.Client
	table  string
}

// of is the table in which a part lies.
func (t tablestoreTables) of(part string) string {
	key, value := strings.CutPrefix(part, valueParts)
	if part == tallyPart || value && life(key) == 0 {
		return t.table
	}
	return t.table + forgets
}

func (t tablestoreTables) now(ctx context.Context) (time.Time, error) {
	_, at, err := t.client.GetRow(ctx, t.table, rowKey("clock", "clock")...)
	if err == nil && at.IsZero() {
		err = havip.ErrNoTime
	}
	return at, tablestoreKind(err)
}

func (t tablestoreTables) get(ctx context.Context, part, sort string) (row, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, _, err := t.client.GetRow(ctx, t.of(part), rowKey(part, sort)...)
	return rowIn(r), tablestoreKind(err)
}

func (t tablestoreTables) all(ctx context.Context, part string) (found []row, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	in := tablestore.Range{From: rangeKey(part, tablestore.Min), To: rangeKey(part, tablestore.Max)}
	for in.From != nil {
		var page []tablestore.Row
		if page, in.From, err = t.client.GetRange(ctx, t.of(part), in); err != nil {
			return nil, tablestoreKind(err)
		}
		for _, r := range page {
			found = append(found, rowIn(r))
		}
	}
	return found, nil
}

// put lists a row before it writes it: who tries again finds the same places. A story
// that ended again has left the one before.
func (t tablestoreTables) put(ctx context.Context, r row) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if r.ended != "" {
		before, err := t.get(ctx, r.part, r.sort)
		if err == nil && before.ended != r.ended {
			err = t.unlist(ctx, before)
		}
		if err != nil {
			return err
		}
	}
	if err := t.list(ctx, r); err != nil {
		return err
	}
	return tablestoreKind(t.client.PutRow(ctx, t.of(r.part), r.cells(r.part, r.sort), tablestore.Anyhow))
}

func (t tablestoreTables) remove(ctx context.Context, r row) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := t.unlist(ctx, r); err != nil {
		return err
	}
	return tablestoreKind(t.client.DeleteRow(ctx, t.of(r.part), rowKey(r.part, r.sort)...))
}

// compareAndSet lists a stray once it is written: what was refused has no other place.
func (t tablestoreTables) compareAndSet(ctx context.Context, r row, rev havip.Revision) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	must := tablestore.Absent
	if rev != 0 {
		must = tablestore.Equals(revision, int64(rev))
	}
	err := t.putIf(ctx, r, must)
	if errors.Is(err, havip.ErrConflict) {
		err = t.again(ctx, r, rev)
	}
	if err != nil {
		return err
	}
	return t.list(ctx, r)
}

// again looks at what is in the way: what we wrote ourselves, when the reply was lost,
// or what is past its time.
func (t tablestoreTables) again(ctx context.Context, r row, rev havip.Revision) error {
	there, err := t.get(ctx, r.part, r.sort)
	switch {
	case err != nil || there.nonce == r.nonce:
		return err
	case rev == 0 && there.part != "" && there.gone():
		return t.putIf(ctx, r, tablestore.Equals(revision, there.rev))
	}
	return havip.ErrConflict
}

func (t tablestoreTables) putIf(ctx context.Context, r row, must tablestore.Condition) error {
	return tablestoreKind(t.client.PutRow(ctx, t.of(r.part), r.cells(r.part, r.sort), must))
}

func (t tablestoreTables) add(ctx context.Context, part, sort string, count, size int) (row, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := t.client.Add(ctx, t.of(part), tablestore.Row{Key: rowKey(part, sort), Columns: []tablestore.Cell{
		{Name: counted, Value: int64(count)}, {Name: letterLen, Value: int64(size)},
	}})
	return rowIn(r), tablestoreKind(err)
}

// history begins with the place itself, which was told before.
func (t tablestoreTables) history(ctx context.Context, part, from string, most int) (found []row, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	list := listParts + everyone
	if part != "" {
		list = listParts + part
	}
	begin := rangeKey(list, tablestore.Max)
	if from != "" {
		begin, most = rowKey(list, from), most+1
	}
	page, next, err := t.client.GetRange(ctx, t.of(list), tablestore.Range{From: begin, To: rangeKey(list, tablestore.Min), Backward: true, Limit: most})
	for _, r := range page {
		if r := rowIn(r); r.ended != from {
			found = append(found, r)
		}
	}
	return found, next != nil, tablestoreKind(err)
}

func (t tablestoreTables) list(ctx context.Context, r row) error {
	for _, list := range r.lists() {
		if err := t.client.PutRow(ctx, t.of(list), r.cells(list, r.ended), tablestore.Anyhow); err != nil {
			return tablestoreKind(err)
		}
	}
	return nil
}

func (t tablestoreTables) unlist(ctx context.Context, r row) error {
	for _, list := range r.lists() {
		if err := t.client.DeleteRow(ctx, t.of(list), rowKey(list, r.ended)...); err != nil {
			return tablestoreKind(err)
		}
	}
	return nil
}

// tablestoreKind finds out what an error of Tablestore is.
func tablestoreKind(err error) error {
	var refused *tablestore.Error
	if kind := onTheWay(err); kind != nil {
		return kind
	}
	switch {
	case !errors.As(err, &refused):
		return err
	case refused.Code == tablestore.ConditionFailed:
		return havip.ErrConflict
	case refused.Later():
		return fmt.Errorf("%w: %w", ErrSlow, err)
	case refused.Code == "OTSObjectNotExist": // no such table
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return err
}
