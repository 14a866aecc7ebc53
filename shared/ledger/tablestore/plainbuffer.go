package tablestore

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Row is a row as PlainBuffer carries it, or the part of it that a call needs.
// https://www.alibabacloud.com/help/en/tablestore/developer-reference/plainbuffer
type Row struct {
	Key, Columns []Cell
	Deleted      bool // the marker of a deletion
}

// Cell is a column of a row. Its value is an int64, a string, a []byte, or, in the key
// of a range, Min or Max.
type Cell struct {
	Name  string
	Value any
	Op    byte  // what is done with the column: put 0, or [Increment]
	At    int64 // its version, in milliseconds of Unix; 0 where none is told
}

// Increment adds the value to the column's. The vendor's page has no such number, but
// its SDKs do.
const Increment = 4

// Edge is a value in the key of a range.
type Edge byte

// Min is before every value, and Max behind.
const (
	Min Edge = 0x9
	Max Edge = 0xa
)

const (
	header       = 0x75
	tagKey       = 0x1
	tagColumns   = 0x2
	tagCell      = 0x3
	tagName      = 0x4
	tagValue     = 0x5
	tagOp        = 0x6
	tagTimestamp = 0x7
	tagDeleted   = 0x8
	tagRowSum    = 0x9
	tagCellSum   = 0xa

	typeInteger = 0x0
	typeString  = 0x3
	typeBlob    = 0x7
)

var errPlainBuffer = errors.New("no PlainBuffer")

// Encode writes rows one after another.
func Encode(rows ...Row) []byte {
	b := binary.LittleEndian.AppendUint32(nil, header)
	for _, r := range rows {
		b = r.append(b)
	}
	return b
}

func (r Row) append(b []byte) []byte {
	sum := byte(0)
	for _, part := range []struct {
		tag   byte
		cells []Cell
	}{{tagKey, r.Key}, {tagColumns, r.Columns}} {
		if len(part.cells) == 0 {
			continue
		}
		b = append(b, part.tag)
		for _, c := range part.cells {
			b = c.append(b)
			sum = crc(sum, b[len(b)-1])
		}
	}
	deleted := byte(0)
	if r.Deleted {
		deleted = 1
		b = append(b, tagDeleted)
	}
	return append(b, tagRowSum, crc(sum, deleted))
}

// append ends with the cell's checksum.
func (c Cell) append(b []byte) []byte {
	value := Variant(c.Value)
	b = binary.LittleEndian.AppendUint32(append(b, tagCell, tagName), uint32(len(c.Name)))
	b = append(append(b, c.Name...), tagValue)
	b = append(binary.LittleEndian.AppendUint32(b, uint32(len(value))), value...)
	if c.Op != 0 {
		b = append(b, tagOp, c.Op)
	}
	if c.At != 0 {
		b = binary.LittleEndian.AppendUint64(append(b, tagTimestamp), uint64(c.At))
	}
	return append(b, tagCellSum, c.sum(value))
}

func (c Cell) sum(value []byte) byte {
	sum := crc(crc(0, []byte(c.Name)...), value...)
	if c.At != 0 {
		sum = crc(sum, binary.LittleEndian.AppendUint64(nil, uint64(c.At))...)
	}
	if c.Op != 0 {
		sum = crc(sum, c.Op)
	}
	return sum
}

// Variant is a value with its type before it, as conditions have it too.
func Variant(value any) []byte {
	switch v := value.(type) {
	case int64:
		return binary.LittleEndian.AppendUint64([]byte{typeInteger}, uint64(v))
	case string:
		return append(binary.LittleEndian.AppendUint32([]byte{typeString}, uint32(len(v))), v...)
	case []byte:
		return append(binary.LittleEndian.AppendUint32([]byte{typeBlob}, uint32(len(v))), v...)
	case Edge:
		return []byte{byte(v)}
	}
	panic(fmt.Sprintf("tablestore: a column can't hold %T", value)) // a mistake of ours
}

// crc continues a checksum: CRC-8 of the polynomial 0x07.
func crc(sum byte, b ...byte) byte {
	for _, c := range b {
		sum = crcs[sum^c]
	}
	return sum
}

var crcs = func() (table [256]byte) {
	for n := range table {
		x := byte(n)
		for range 8 {
			if x&0x80 != 0 {
				x = x<<1 ^ 0x07
			} else {
				x <<= 1
			}
		}
		table[n] = x
	}
	return table
}()
