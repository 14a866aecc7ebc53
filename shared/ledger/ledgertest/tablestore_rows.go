package ledgertest

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/aliyun/aliyun-tablestore-go-sdk/tablestore/otsprotocol"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	wire "havip-functions/shared/ledger/tablestore"
)

// The limits of the wide column model.
// https://www.alibabacloud.com/help/en/tablestore/limits-on-widecolumn-model
const (
	maxKeyColumn = 1 << 10
	maxColumn    = 2 << 20
	maxRowCall   = 4 << 20
	maxRangeRows = 5000
	maxRange     = 4 << 20
)

// do has the effect of a call that is allowed.
func (s *Tablestore) do(op string, body []byte) (protoadapt.MessageV1, *refusal) {
	now := time.Now().Add(s.ahead)
	switch op {
	case "PutRow":
		m := &otsprotocol.PutRowRequest{}
		return ask(s, op, m, body, func(t *otsTable) (protoadapt.MessageV1, *refusal) { return t.put(m, now) })
	case "GetRow":
		m := &otsprotocol.GetRowRequest{}
		return ask(s, op, m, body, func(t *otsTable) (protoadapt.MessageV1, *refusal) { return t.get(m, now) })
	case "UpdateRow":
		m := &otsprotocol.UpdateRowRequest{}
		return ask(s, op, m, body, func(t *otsTable) (protoadapt.MessageV1, *refusal) { return t.update(m, now) })
	case "DeleteRow":
		m := &otsprotocol.DeleteRowRequest{}
		return ask(s, op, m, body, func(t *otsTable) (protoadapt.MessageV1, *refusal) { return t.remove(m, now) })
	case "GetRange":
		m := &otsprotocol.GetRangeRequest{}
		return ask(s, op, m, body, func(t *otsTable) (protoadapt.MessageV1, *refusal) { return t.list(m, now) })
	}
	return nil, invalid("Unsupported operation: " + op + ".")
}

type named interface {
	protoadapt.MessageV1
	GetTableName() string
}

func ask(s *Tablestore, op string, m named, body []byte, do func(*otsTable) (protoadapt.MessageV1, *refusal)) (protoadapt.MessageV1, *refusal) {
	if err := proto.Unmarshal(body, protoadapt.MessageV2Of(m)); err != nil {
		return nil, invalid("Failed to parse the ProtoBuf message: " + err.Error())
	}
	t := s.tables[m.GetTableName()]
	if t == nil {
		return nil, &refusal{http.StatusNotFound, "OTSObjectNotExist", "Requested table does not exist."}
	}
	s.done[op+" "+m.GetTableName()] = true
	return do(t)
}

// one reads the row of a call, whose key has to be that of the table.
func (t *otsTable) one(b []byte) (wire.Row, []string, *refusal) {
	rows, err := wire.Decode(b)
	if err != nil || len(rows) != 1 {
		return wire.Row{}, nil, invalid("Invalid PlainBuffer.")
	}
	var key []string
	for n, c := range rows[0].Key {
		text, ok := c.Value.(string)
		if n >= len(t.key) || c.Name != t.key[n] || !ok || len(text) > maxKeyColumn {
			return wire.Row{}, nil, &refusal{http.StatusBadRequest, "OTSInvalidPK", "Validate PK name, type or size fail."}
		}
		key = append(key, text)
	}
	for _, c := range rows[0].Columns {
		if size(c) > maxColumn {
			return wire.Row{}, nil, invalid("The length of attribute column: '" + c.Name + "' exceeds the MaxLength.")
		}
	}
	if len(b) > maxRowCall || len(key) != len(t.key) {
		return wire.Row{}, nil, invalid("The row is too large, or its key too short.")
	}
	return rows[0], key, nil
}

func size(c wire.Cell) int {
	switch v := c.Value.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	}
	return 8
}

// check holds a condition against a row. What a column that is not there would mean is
// not agreed on: who asks for it is refused.
func (t *otsTable) check(c *otsprotocol.Condition, key []string, now time.Time) *refusal {
	there := t.there(key, now)
	failed := &refusal{http.StatusForbidden, "OTSConditionCheckFail", "Condition check failed."}
	switch c.GetRowExistence() {
	case otsprotocol.RowExistenceExpectation_EXPECT_EXIST:
		if there == nil {
			return failed
		}
	case otsprotocol.RowExistenceExpectation_EXPECT_NOT_EXIST:
		if there != nil {
			return failed
		}
	case otsprotocol.RowExistenceExpectation_IGNORE:
	}
	if c.GetColumnCondition() == nil {
		return nil
	}
	f, single := &otsprotocol.Filter{}, &otsprotocol.SingleColumnValueFilter{}
	if proto.Unmarshal(c.ColumnCondition, protoadapt.MessageV2Of(f)) != nil || f.GetType() != otsprotocol.FilterType_FT_SINGLE_COLUMN_VALUE ||
		proto.Unmarshal(f.Filter, protoadapt.MessageV2Of(single)) != nil || single.GetComparator() != otsprotocol.ComparatorType_CT_EQUAL {
		return invalid("Only a comparison with one column is known here.")
	}
	column, has := there[single.GetColumnName()]
	if !has {
		return invalid("The column is not there, and documents differ on what that means.")
	}
	if want := wire.Variant(column.Value); !bytes.Equal(want, single.GetColumnValue()) {
		return failed
	}
	return nil
}

func (t *otsTable) put(m *otsprotocol.PutRowRequest, now time.Time) (protoadapt.MessageV1, *refusal) {
	r, key, failed := t.one(m.Row)
	if failed == nil {
		failed = t.check(m.Condition, key, now)
	}
	if failed != nil {
		return nil, failed
	}
	columns := map[string]wire.Cell{}
	for _, c := range r.Columns {
		c.At = now.UnixMilli()
		columns[c.Name] = c
	}
	t.write(key, columns)
	return &otsprotocol.PutRowResponse{Consumed: consumed(0, 1)}, nil
}

func (t *otsTable) get(m *otsprotocol.GetRowRequest, now time.Time) (protoadapt.MessageV1, *refusal) {
	_, key, failed := t.one(m.PrimaryKey)
	if failed != nil {
		return nil, failed
	}
	if m.GetMaxVersions() < 1 {
		return nil, invalid("No version condition is specified while querying row.")
	}
	reply := &otsprotocol.GetRowResponse{Consumed: consumed(1, 0), Row: []byte{}}
	if there := t.there(key, now); len(there) > 0 {
		reply.Row = wire.Encode(t.row(key, there))
	}
	return reply, nil
}

func (t *otsTable) update(m *otsprotocol.UpdateRowRequest, now time.Time) (protoadapt.MessageV1, *refusal) {
	r, key, failed := t.one(m.RowChange)
	if failed == nil {
		failed = t.check(m.Condition, key, now)
	}
	if failed != nil {
		return nil, failed
	}
	columns := map[string]wire.Cell{}
	for name, c := range t.there(key, now) {
		columns[name] = c
	}
	for _, c := range r.Columns {
		if c.Op == wire.Increment {
			before, _ := columns[c.Name].Value.(int64) // 0 where it is not there
			by, _ := c.Value.(int64)
			c.Value = before + by
		}
		columns[c.Name] = wire.Cell{Name: c.Name, Value: c.Value, At: now.UnixMilli()}
	}
	t.write(key, columns)
	reply := &otsprotocol.UpdateRowResponse{Consumed: consumed(0, 1)}
	if back := m.GetReturnContent(); back.GetReturnType() == otsprotocol.ReturnType_RT_AFTER_MODIFY {
		asked := map[string]wire.Cell{}
		for _, name := range back.ReturnColumnNames {
			asked[name] = columns[name]
		}
		reply.Row = wire.Encode(wire.Row{Columns: t.row(nil, asked).Columns})
	}
	return reply, nil
}

func (t *otsTable) remove(m *otsprotocol.DeleteRowRequest, now time.Time) (protoadapt.MessageV1, *refusal) {
	r, key, failed := t.one(m.PrimaryKey)
	if failed == nil && !r.Deleted {
		failed = invalid("A deletion has its marker.")
	}
	if failed == nil {
		failed = t.check(m.Condition, key, now)
	}
	if failed != nil {
		return nil, failed
	}
	if n, found := t.find(key); found {
		t.rows = slices.Delete(t.rows, n, n+1)
	}
	return &otsprotocol.DeleteRowResponse{Consumed: consumed(0, 1)}, nil
}

func (t *otsTable) list(m *otsprotocol.GetRangeRequest, now time.Time) (protoadapt.MessageV1, *refusal) {
	from, failed := t.edge(m.InclusiveStartPrimaryKey)
	to, failedToo := t.edge(m.ExclusiveEndPrimaryKey)
	if failed = cmp.Or(failed, failedToo); failed != nil {
		return nil, failed
	}
	reply := &otsprotocol.GetRangeResponse{Consumed: consumed(1, 0), Rows: []byte{}}
	var found []wire.Row
	bytes := 0
	for _, r := range t.between(from, to, m.GetDirection() == otsprotocol.Direction_BACKWARD) {
		there := t.there(r.key, now)
		if len(there) == 0 {
			continue
		}
		if len(found) >= maxRangeRows || bytes > maxRange || m.Limit != nil && len(found) == int(*m.Limit) {
			reply.NextStartPrimaryKey = wire.Encode(wire.Row{Key: t.row(r.key, nil).Key})
			break
		}
		found = append(found, t.row(r.key, there))
		for _, c := range there {
			bytes += size(c)
		}
	}
	if len(found) > 0 {
		reply.Rows = wire.Encode(found...)
	}
	return reply, nil
}

func consumed(read, write int32) *otsprotocol.ConsumedCapacity {
	return &otsprotocol.ConsumedCapacity{CapacityUnit: &otsprotocol.CapacityUnit{Read: &read, Write: &write}}
}
