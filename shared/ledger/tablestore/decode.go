package tablestore

import (
	"encoding/binary"
	"fmt"
)

// Decode reads rows, and checks their sums. Nothing at all is no row.
func Decode(b []byte) (rows []Row, err error) {
	if len(b) == 0 {
		return nil, nil
	}
	r := &reader{b: b}
	if r.uint32() != header {
		return nil, errPlainBuffer
	}
	for r.err == nil && len(r.b) > 0 {
		rows = append(rows, r.row())
	}
	return rows, r.err
}

// reader takes bytes off, and gives zeroes once they have ended or made no sense.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n uint32) []byte {
	if r.err != nil || uint64(n) > uint64(len(r.b)) {
		r.err = errPlainBuffer
		return make([]byte, min(n, 8))
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) byte() byte     { return r.take(1)[0] }
func (r *reader) uint32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) int64() int64   { return int64(binary.LittleEndian.Uint64(r.take(8))) }

// has takes a tag off if it is the next one.
func (r *reader) has(tag byte) bool {
	if r.err != nil || len(r.b) == 0 || r.b[0] != tag {
		return false
	}
	r.b = r.b[1:]
	return true
}

// expect takes off what has to be next.
func (r *reader) expect(b ...byte) {
	for _, want := range b {
		if r.byte() != want {
			r.err = errPlainBuffer
		}
	}
}

func (r *reader) row() (row Row) {
	sum := byte(0)
	for _, part := range []struct {
		tag byte
		to  *[]Cell
	}{{tagKey, &row.Key}, {tagColumns, &row.Columns}} {
		if !r.has(part.tag) {
			continue
		}
		for r.has(tagCell) {
			c, cellSum := r.cell()
			*part.to = append(*part.to, c)
			sum = crc(sum, cellSum)
		}
	}
	deleted := byte(0)
	if row.Deleted = r.has(tagDeleted); row.Deleted {
		deleted = 1
	}
	r.expect(tagRowSum, crc(sum, deleted))
	return row
}

func (r *reader) cell() (c Cell, sum byte) {
	r.expect(tagName)
	c.Name = string(r.take(r.uint32()))
	var value []byte
	if r.has(tagValue) {
		value = r.take(r.uint32())
		c.Value = r.value(value)
	}
	if r.has(tagOp) {
		c.Op = r.byte()
	}
	if r.has(tagTimestamp) {
		c.At = r.int64()
	}
	sum = c.sum(value)
	r.expect(tagCellSum, sum)
	return c, sum
}

// value reads a variant that is all there is.
func (r *reader) value(b []byte) (v any) {
	in := &reader{b: b}
	switch kind := in.byte(); kind {
	case typeInteger:
		v = in.int64()
	case typeString:
		v = string(in.take(in.uint32()))
	case typeBlob:
		v = in.take(in.uint32())
	case byte(Min), byte(Max):
		v = Edge(kind)
	default:
		in.err = fmt.Errorf("%w: a value of type %d", errPlainBuffer, kind)
	}
	if len(in.b) > 0 {
		in.err = errPlainBuffer
	}
	if r.err == nil {
		r.err = in.err
	}
	return v
}
