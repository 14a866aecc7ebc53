package tablestore

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

type fieldNumber = protowire.Number

// Condition is how a row has to be for a call to change it.
type Condition struct {
	existence uint64
	column    []byte
}

// The conditions that a ledger needs. A column that has to equal something is asked of
// rows that have to be there: documents differ on what one without it would mean.
var (
	Anyhow = Condition{}
	Absent = Condition{existence: 2}
)

// Equals asks for a row whose column has the value.
func Equals(column string, value any) Condition {
	const exists, single, equal = 1, 1, 1
	filter := message(nil).number(1, equal).text(2, column).bytes(3, Variant(value)).number(4, 1).number(5, 1)
	return Condition{exists, message(nil).number(1, single).bytes(2, filter)}
}

func (c Condition) message() message {
	m := message(nil).number(1, c.existence)
	if c.column != nil {
		m = m.bytes(2, c.column)
	}
	return m
}

// PutRow writes a row in place of the one that was there.
func (c *Client) PutRow(ctx context.Context, table string, r Row, must Condition) error {
	_, err := c.call(ctx, "PutRow", message(nil).text(1, table).bytes(2, Encode(r)).bytes(3, must.message()))
	return err
}

// GetRow reads a row, or none, and tells the server's time.
func (c *Client) GetRow(ctx context.Context, table string, key ...Cell) (r Row, at time.Time, err error) {
	a, err := c.call(ctx, "GetRow", message(nil).text(1, table).bytes(2, Encode(Row{Key: key})).number(5, 1))
	if err != nil {
		return r, at, err
	}
	r, err = a.row()
	return r, a.at, err
}

// DeleteRow deletes a row, if it is there.
func (c *Client) DeleteRow(ctx context.Context, table string, key ...Cell) error {
	_, err := c.call(ctx, "DeleteRow", message(nil).text(1, table).bytes(2, Encode(Row{Key: key, Deleted: true})).bytes(3, Anyhow.message()))
	return err
}

// Add adds to columns of a row, which are made where they are not there, and returns
// them. A lost reply may have it add twice.
func (c *Client) Add(ctx context.Context, table string, r Row) (Row, error) {
	const afterwards = 2
	back := message(nil).number(1, afterwards)
	for n := range r.Columns {
		r.Columns[n].Op = Increment
		back = back.text(2, r.Columns[n].Name)
	}
	a, err := c.call(ctx, "UpdateRow", message(nil).text(1, table).bytes(2, Encode(r)).bytes(3, Anyhow.message()).bytes(4, back))
	if err != nil {
		return Row{}, err
	}
	return a.row()
}

// Range is part of a table: from a key on, up to another one that is not of it.
type Range struct {
	From, To []Cell
	Backward bool
	Limit    int // of rows; 0 for as many as the service gives at once
}

// GetRange reads rows in their order, and from where it goes on, nil for nowhere.
func (c *Client) GetRange(ctx context.Context, table string, r Range) (rows []Row, next []Cell, err error) {
	backward := uint64(0)
	if r.Backward {
		backward = 1
	}
	m := message(nil).text(1, table).number(2, backward).number(5, 1)
	if r.Limit > 0 {
		m = m.number(6, uint64(r.Limit))
	}
	a, err := c.call(ctx, "GetRange", m.bytes(7, Encode(Row{Key: r.From})).bytes(8, Encode(Row{Key: r.To})))
	if err != nil {
		return nil, nil, err
	}
	rows, err = Decode(a.fields[2])
	if err != nil {
		return nil, nil, err
	}
	more, err := Decode(a.fields[3])
	if err != nil || len(more) == 0 {
		return rows, nil, err
	}
	return rows, more[0].Key, nil
}

var errRows = errors.New("an answer of several rows, where one was asked for")

func (a answer) row() (Row, error) {
	rows, err := Decode(a.fields[2])
	switch {
	case err != nil || len(rows) == 0:
		return Row{}, err
	case len(rows) > 1:
		return Row{}, errRows
	}
	return rows[0], nil
}
