package tablestore

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is one of Protocol Buffers while it is written: the requests are few and
// small, and what the vendor's SDK generates for them costs a function's start two
// megabytes. Their fields are those of
// https://www.alibabacloud.com/help/en/tablestore/developer-reference/api-operations
type message []byte

func (m message) text(field protowire.Number, s string) message {
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), s)
}

func (m message) bytes(field protowire.Number, b []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), b)
}

func (m message) number(field protowire.Number, n uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), n)
}

// fields are those of a message that hold bytes, texts and messages; of one that is
// repeated the last. All that we read of an answer are such.
func fields(b []byte) (map[protowire.Number][]byte, error) {
	found := map[protowire.Number][]byte{}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, fmt.Errorf("no message: %w", protowire.ParseError(n))
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(field, kind, b); n < 0 {
			return nil, fmt.Errorf("no message: %w", protowire.ParseError(n))
		}
		if kind == protowire.BytesType {
			found[field], _ = protowire.ConsumeBytes(b)
		}
		b = b[n:]
	}
	return found, nil
}
