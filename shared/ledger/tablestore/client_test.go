package tablestore_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	vendor "github.com/aliyun/aliyun-tablestore-go-sdk/tablestore"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger/ledgertest"
	"havip-functions/shared/ledger/tablestore"
)

var owner = havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "testsk", SecurityToken: "token"}

func key(part, sort string) []tablestore.Cell {
	return []tablestore.Cell{{Name: "pk", Value: part}, {Name: "sk", Value: sort}}
}

func vendorKey(part, sort string) *vendor.PrimaryKey {
	k := &vendor.PrimaryKey{}
	k.AddPrimaryKeyColumn("pk", part)
	k.AddPrimaryKeyColumn("sk", sort)
	return k
}

// The vendor's own client and ours find each other's rows in the stand-in, whose word
// would else be worth little.
func TestBesideTheVendor(t *testing.T) {
	t.Parallel()
	s := ledgertest.NewTablestore(t, owner)
	ours, theirs := s.Client(owner), s.Vendor(owner)

	change := &vendor.PutRowChange{TableName: ledgertest.LedgerTable, PrimaryKey: vendorKey("a", "1")}
	change.AddColumn("rev", int64(7))
	change.AddColumn("body", []byte("theirs"))
	change.SetCondition(vendor.RowExistenceExpectation_EXPECT_NOT_EXIST)
	if _, err := theirs.PutRow(&vendor.PutRowRequest{PutRowChange: change}); err != nil {
		t.Fatal(err)
	}
	var refused *vendor.OtsError
	if _, err := theirs.PutRow(&vendor.PutRowRequest{PutRowChange: change}); !errors.As(err, &refused) || refused.Code != tablestore.ConditionFailed {
		t.Errorf("the vendor's second one: %v", err)
	}
	r, at, err := ours.GetRow(t.Context(), ledgertest.LedgerTable, key("a", "1")...)
	if err != nil || len(r.Columns) != 2 || string(r.Columns[0].Value.([]byte)) != "theirs" || r.Columns[1].Value != int64(7) || time.Since(at).Abs() > 5*time.Second {
		t.Errorf("we read %+v at %s, %v", r, at, err)
	}

	mine := tablestore.Row{Key: key("a", "1"), Columns: []tablestore.Cell{{Name: "rev", Value: int64(8)}}}
	for rev, want := range map[int64]string{6: tablestore.ConditionFailed, 7: ""} {
		err := ours.PutRow(t.Context(), ledgertest.LedgerTable, mine, tablestore.Equals("rev", rev))
		if got := new(tablestore.Error); (want != "") != errors.As(err, &got) || got.Code != want {
			t.Errorf("where rev is %d: %v, want %s", rev, err, want)
		}
	}
	again := &vendor.PutRowChange{TableName: ledgertest.LedgerTable, PrimaryKey: vendorKey("a", "1")}
	again.AddColumn("rev", int64(9))
	again.SetCondition(vendor.RowExistenceExpectation_EXPECT_EXIST)
	again.SetColumnCondition(vendor.NewSingleColumnCondition("rev", vendor.CT_EQUAL, int64(8)))
	if _, err := theirs.PutRow(&vendor.PutRowRequest{PutRowChange: again}); err != nil {
		t.Errorf("the vendor finds another revision than ours: %v", err)
	}

	counter := &vendor.UpdateRowChange{TableName: ledgertest.LedgerTable, PrimaryKey: vendorKey("tally", "x")}
	counter.IncrementColumn("n", 2)
	counter.SetCondition(vendor.RowExistenceExpectation_IGNORE)
	counter.SetReturnIncrementValue()
	counter.AppendIncrementColumnToReturn("n")
	if reply, err := theirs.UpdateRow(&vendor.UpdateRowRequest{UpdateRowChange: counter}); err != nil || len(reply.Columns) != 1 || reply.Columns[0].Value != int64(2) {
		t.Errorf("the vendor counts %+v, %v", reply, err)
	}
	if r, err := ours.Add(t.Context(), ledgertest.LedgerTable, tablestore.Row{Key: key("tally", "x"), Columns: []tablestore.Cell{{Name: "n", Value: int64(-5)}}}); err != nil || r.Columns[0].Value != int64(-3) {
		t.Errorf("we count %+v, %v", r, err)
	}
	if err := ours.DeleteRow(t.Context(), ledgertest.LedgerTable, key("tally", "x")...); err != nil {
		t.Error(err)
	}
	read := &vendor.SingleRowQueryCriteria{TableName: ledgertest.LedgerTable, PrimaryKey: vendorKey("tally", "x"), MaxVersion: 1}
	if reply, err := theirs.GetRow(&vendor.GetRowRequest{SingleRowQueryCriteria: read}); err != nil || len(reply.Columns) != 0 {
		t.Errorf("the vendor reads what was deleted: %+v, %v", reply, err)
	}
}

// Both read a range alike, forwards and backwards, page by page.
func TestRangeBesideTheVendor(t *testing.T) {
	t.Parallel()
	s := ledgertest.NewTablestore(t, owner)
	ours, theirs := s.Client(owner), s.Vendor(owner)
	for part, many := range map[string]int{"a": 2, "b": 7, "c": 2} {
		for n := range many {
			r := tablestore.Row{Key: key(part, fmt.Sprint(n)), Columns: []tablestore.Cell{{Name: "n", Value: int64(n)}}}
			if err := ours.PutRow(t.Context(), ledgertest.LedgerTable, r, tablestore.Anyhow); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, backward := range []bool{false, true} {
		low, high := []tablestore.Cell{{Name: "pk", Value: "b"}, {Name: "sk", Value: tablestore.Min}}, key("b", "5")
		begin, end, direction := &vendor.PrimaryKey{}, vendorKey("b", "5"), vendor.FORWARD
		begin.AddPrimaryKeyColumn("pk", "b")
		begin.AddPrimaryKeyColumnWithMinValue("sk")
		want := "0 1 2 3 4"
		if backward {
			low, high, begin, end, direction, want = high, low, end, begin, vendor.BACKWARD, "5 4 3 2 1 0"
		}
		var we, they []string
		for in := (tablestore.Range{From: low, To: high, Backward: backward, Limit: 2}); in.From != nil; {
			rows, next, err := ours.GetRange(t.Context(), ledgertest.LedgerTable, in)
			if err != nil || len(rows) > 2 {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
			for _, r := range rows {
				we = append(we, fmt.Sprint(r.Columns[0].Value))
			}
			in.From = next
		}
		for from := begin; from != nil; {
			reply, err := theirs.GetRange(&vendor.GetRangeRequest{RangeRowQueryCriteria: &vendor.RangeRowQueryCriteria{
				TableName: ledgertest.LedgerTable, StartPrimaryKey: from, EndPrimaryKey: end, Direction: direction, MaxVersion: 1, Limit: 2}})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range reply.Rows {
				they = append(they, fmt.Sprint(r.Columns[0].Value))
			}
			from = reply.NextStartPrimaryKey
		}
		if strings.Join(we, " ") != want || !reflect.DeepEqual(we, they) {
			t.Errorf("backward %t: we read %q, the vendor %q, want %s", backward, we, they, want)
		}
	}
}

// Whoever is not the owner, or whose message was changed on the way, is refused.
func TestAuthentication(t *testing.T) {
	t.Parallel()
	s := ledgertest.NewTablestore(t, owner)
	for name, keys := range map[string]havip.Credentials{
		"The AccessKeyID does not exist":    {AccessKeyID: "another", AccessKeySecret: "testsk", SecurityToken: "token"},
		"Signature mismatch":                {AccessKeyID: "testak", AccessKeySecret: "another", SecurityToken: "token"},
		"The security token is not of this": {AccessKeyID: "testak", AccessKeySecret: "testsk"},
	} {
		_, _, err := s.Client(keys).GetRow(t.Context(), ledgertest.LedgerTable, key("a", "1")...)
		if refused := new(tablestore.Error); !errors.As(err, &refused) || refused.Code != "OTSAuthFailed" || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "testsk") {
			t.Errorf("got %v, want %s", err, name)
		}
	}
}

// A call that is answered by busy is made six times, one that is not answered three, any
// other one once; what is
// no answer of Tablestore's is no success.
func TestTries(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		tries  int
		want   string
	}{
		"busy": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("x-ots-requestid", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte("\x0a\x0dOTSServerBusy"))
		}, 6, "OTSServerBusy"},
		"a gateway fails": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, 6, "NotTablestore"},
		"cut":             {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 3, "EOF"},
		"cut in the middle": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusOK)
		}, 3, "unexpected EOF"},
		"a page":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, 1, "NotTablestore"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, 1, "NotTablestore"},
		"no message": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("x-ots-requestid", "1")
			_, _ = w.Write([]byte("\xff\xff"))
		}, 3, "no message"},
		"no row": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("x-ots-requestid", "1")
			_, _ = w.Write([]byte("\x12\x02no"))
		}, 1, "no PlainBuffer"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1); tt.answer(w, r) }))
			defer s.Close()
			c := &tablestore.Client{Endpoint: s.URL, Keys: func(context.Context) (havip.Credentials, error) { return owner, nil }}
			_, _, err := c.GetRow(t.Context(), "t", key("a", "1")...)
			if err == nil || !strings.Contains(err.Error(), tt.want) || int(asked.Load()) != tt.tries {
				t.Errorf("%v after %d tries, want %s after %d", err, asked.Load(), tt.want, tt.tries)
			}
		})
	}
}

// hanging is a connection that is dead for so many tries.
type hanging struct{ tries int }

func (h *hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	if h.tries--; h.tries >= 0 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	w := httptest.NewRecorder()
	w.Header().Set("x-ots-requestid", "1")
	return w.Result(), nil
}

// A dead connection takes a few seconds, and not all of the caller's time.
func TestDeadConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &tablestore.Client{Endpoint: "http://ots", Transport: &hanging{tries: 1}, Keys: func(context.Context) (havip.Credentials, error) { return owner, nil }}
		began := time.Now()
		if _, _, err := c.GetRow(t.Context(), "t", key("a", "1")...); err != nil || time.Since(began) > 4*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c.Transport, began = &hanging{tries: 9}, time.Now()
		if _, _, err := c.GetRow(ctx, "t", key("a", "1")...); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// What is beyond the limits of the wide column model is refused, and so is who asks for
// more than one table has.
func TestLimits(t *testing.T) {
	t.Parallel()
	c := ledgertest.NewTablestore(t, owner).Client(owner)
	put := func(part string, size int) error {
		r := tablestore.Row{Key: key(part, "1"), Columns: []tablestore.Cell{{Name: "body", Value: make([]byte, size)}}}
		return c.PutRow(t.Context(), ledgertest.LedgerTable, r, tablestore.Anyhow)
	}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"a long key":     {put(strings.Repeat("a", 1025), 1), "OTSInvalidPK"},
		"a large column": {put("a", 2<<20+1), "OTSParameterInvalid"},
		"no such table":  {c.DeleteRow(t.Context(), "another", key("a", "1")...), "OTSObjectNotExist"},
		"half a key":     {c.DeleteRow(t.Context(), ledgertest.LedgerTable, key("a", "1")[:1]...), "OTSParameterInvalid"},
		"another key":    {c.DeleteRow(t.Context(), ledgertest.LedgerTable, tablestore.Cell{Name: "id", Value: "a"}, tablestore.Cell{Name: "sk", Value: "1"}), "OTSInvalidPK"},
		"all right":      {put(strings.Repeat("a", 1024), 2<<20), ""},
	} {
		if got := new(tablestore.Error); (tt.want != "") != errors.As(tt.err, &got) || got.Code != tt.want {
			t.Errorf("%s: %v, want %s", name, tt.err, tt.want)
		}
	}
}
