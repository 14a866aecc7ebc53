package roster_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"havip-functions/shared/havip"
	"havip-functions/shared/roster"
)

func TestWriteIsRead(t *testing.T) {
	found := []havip.Policy{{
		Name: "the orders: #1", Cloud: "alibaba", Account: "prod", Region: "cn-hangzhou", ID: "havip-1",
		InstanceType: "NetworkInterface", Members: []havip.Member{{ID: "eni-1", Instance: "i-1"}, {ID: "eni-2"}}, Mode: havip.Act,
	}, {
		Name: "cache", Cloud: "baidu", Region: "bj", ID: "havip-2", Members: members("i-1", "i-2"), Hold: 1, Limit: 4,
	}, {
		Name: "cache", Cloud: "baidu", Region: "gz", ID: "havip-3", Members: members("i-1"),
	}}
	var text bytes.Buffer
	if err := roster.Write(&text, found); err != nil {
		t.Fatal(err)
	}
	r, err := roster.Parse(text.Bytes())
	if err != nil {
		t.Fatalf("%v in\n%s", err, text.String())
	}
	orders, cache := r.Policies()[0], r.Policies()[1]
	if orders.Name != "havip-1" || orders.Account != "" || orders.Mode != havip.Observe || orders.InstanceType != "NetworkInterface" {
		t.Errorf("orders became %+v", orders)
	}
	if want := []havip.Member{{ID: "eni-1", Instance: "i-1"}, {ID: "eni-2", Instance: "eni-2"}}; !reflect.DeepEqual(orders.Members, want) {
		t.Errorf("members %v, want %v", orders.Members, want)
	}
	if cache.Name != "cache" || cache.Mode != havip.Observe || cache.Hold != 1 || cache.Limit != 4 || !reflect.DeepEqual(cache.Members, members("i-1", "i-2")) {
		t.Errorf("cache became %+v", cache)
	}
	if got := r.Policies()[2].Name; got != "havip-3" {
		t.Errorf("the second cache is named %s", got)
	}
	if !strings.HasPrefix(text.String(), "# ") {
		t.Error("no comment at the top")
	}
}

func TestWriteWithoutMembersAsksForThem(t *testing.T) {
	var text bytes.Buffer
	if err := roster.Write(&text, []havip.Policy{{Name: "a", Cloud: "baidu", Region: "bj", ID: "havip-1"}}); err != nil {
		t.Fatal(err)
	}
	_, err := roster.Parse(text.Bytes())
	if err == nil || !strings.HasSuffix(err.Error(), "havips[0].members: missing or empty; name the instances that may hold it") {
		t.Errorf("got %v in\n%s", err, text.String())
	}
}

type fullDisk struct{}

var errFull = errors.New("no space left on device")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteFails(t *testing.T) {
	if err := roster.Write(fullDisk{}, nil); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
}
