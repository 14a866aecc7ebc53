package tablestore

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"

	vendor "github.com/aliyun/aliyun-tablestore-go-sdk/tablestore"
)

// sample has a column of each kind.
var sample = Row{
	Key: []Cell{{Name: "pk", Value: "value:a"}, {Name: "sk", Value: "value"}},
	Columns: []Cell{
		{Name: "body", Value: []byte("\x00{}\xff")}, {Name: "rev", Value: int64(math.MinInt64)},
		{Name: "ended", Value: ""}, {Name: "n", Value: int64(-1), Op: Increment},
	},
}

// We write what the vendor's own client does, byte by byte.
func TestAsTheVendorWrites(t *testing.T) {
	key := &vendor.PrimaryKey{}
	key.AddPrimaryKeyColumn("pk", "value:a")
	key.AddPrimaryKeyColumn("sk", "value")
	change := &vendor.UpdateRowChange{PrimaryKey: key}
	change.PutColumn("body", []byte("\x00{}\xff"))
	change.PutColumn("rev", int64(math.MinInt64))
	change.PutColumn("ended", "")
	change.IncrementColumn("n", -1)
	end := &vendor.PrimaryKey{}
	end.AddPrimaryKeyColumn("pk", "value:a")
	end.AddPrimaryKeyColumnWithMaxValue("sk")
	begin := &vendor.PrimaryKey{}
	begin.AddPrimaryKeyColumnWithMinValue("pk")
	for name, tt := range map[string]struct{ got, want []byte }{
		"a row":      {Encode(sample), change.Serialize()},
		"a deletion": {Encode(Row{Key: sample.Key, Deleted: true}), key.Build(true)},
		"the end":    {Encode(Row{Key: []Cell{{Name: "pk", Value: "value:a"}, {Name: "sk", Value: Max}}}), end.Build(false)},
		"the begin":  {Encode(Row{Key: []Cell{{Name: "pk", Value: Min}}}), begin.Build(false)},
		"a filter on a text": {Equals("nonce", "x").column,
			(&vendor.SingleColumnCondition{ColumnName: new("nonce"), Comparator: new(vendor.CT_EQUAL), ColumnValue: "x", FilterIfMissing: true, LatestVersionOnly: true}).Serialize()},
		"a filter on a number": {Equals("rev", int64(7)).column,
			(&vendor.SingleColumnCondition{ColumnName: new("rev"), Comparator: new(vendor.CT_EQUAL), ColumnValue: int64(7), FilterIfMissing: true, LatestVersionOnly: true}).Serialize()},
	} {
		// A filter is a message within one, which the vendor puts a type before.
		if !bytes.Contains(tt.got, tt.want) || len(tt.want) == 0 {
			t.Errorf("%s:\n%x, the vendor writes\n%x", name, tt.got, tt.want)
		}
	}
}

func TestDecode(t *testing.T) {
	versioned := sample
	versioned.Columns = slices.Clone(sample.Columns)
	versioned.Columns[0].At = 1795672000123
	rows := []Row{sample, {Key: sample.Key, Deleted: true}, versioned}
	text := Encode(rows...)
	if got, err := Decode(text); err != nil || !reflect.DeepEqual(got, rows) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := Decode(nil); err != nil || got != nil {
		t.Errorf("nothing is %+v, %v", got, err)
	}
	for n := range text {
		broken := bytes.Clone(text)
		broken[n] ^= 0x10
		if got, err := Decode(broken); err == nil {
			t.Errorf("byte %d is broken, and it reads %+v", n, got)
		}
		if _, err := Decode(text[:n]); n > 0 && n != len(Encode(rows[:1]...)) && n != len(Encode(rows[:2]...)) && n != 4 && !errors.Is(err, errPlainBuffer) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
}

// What came from a server is read without a panic, and is written as it was.
func FuzzDecode(f *testing.F) {
	f.Add(Encode(sample))
	f.Add(Encode(Row{Key: []Cell{{Name: "pk", Value: Min}, {Name: "sk", Value: Max}}, Deleted: true}, sample))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := Decode(b)
		if err != nil {
			return
		}
		for _, r := range rows {
			for _, c := range slices.Concat(r.Key, r.Columns) {
				if c.Value == nil {
					return // a column that was deleted: we write none
				}
			}
		}
		if again, err := Decode(Encode(rows...)); err != nil || len(rows) > 0 && !reflect.DeepEqual(again, rows) {
			t.Errorf("%+v is read again as %+v, %v", rows, again, err)
		}
	})
}

func FuzzFields(f *testing.F) {
	f.Add([]byte(message(nil).text(1, "OTSServerBusy").number(2, 300).bytes(3, nil)))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = fields(b) }) // without a panic
}
