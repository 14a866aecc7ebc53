package roster_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/roster"
)

const full = `
accounts:
  prod: {cloud: alibaba, roleArn: "acs:ram::1234567890123456:role/havip"}
  bd:   {cloud: baidu, credentials: "file:/run/secrets/bce.json"}
defaults: {mode: observe, hold: 2, coolDown: 90s}
brake: {failovers: 3, within: 1m}
havips:
  - name: orders-db
    cloud: alibaba
    account: prod
    region: cn-hangzhou
    id: havip-bp1orders
    instanceType: NetworkInterface
    members:
      - eni-3
      - {id: eni-1, instance: i-db1}
    hold: 1
    limit: 3
    mode: act
    onHealthFailed: forceReplace
    servingWithin: 10s
    coolDown: 30s
    deadline: 2m
    markTTL: 1h
    probe: http:8080/healthz
  - {name: cache, cloud: baidu, account: bd, region: bj, id: havip-w2d4, members: [i-syG1]}
  - {name: web, cloud: alibaba, region: cn-hangzhou, id: havip-web, members: [i-1, i-2, i-3]}
`

func TestParse(t *testing.T) {
	r, err := roster.Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	wantAccounts := map[string]roster.Account{
		"prod": {Cloud: "alibaba", RoleARN: "acs:ram::1234567890123456:role/havip"},
		"bd":   {Cloud: "baidu", Credentials: "file:/run/secrets/bce.json"},
	}
	if !reflect.DeepEqual(r.Accounts, wantAccounts) {
		t.Errorf("accounts %+v, want %+v", r.Accounts, wantAccounts)
	}
	want := []havip.Policy{{
		Name: "orders-db", Cloud: "alibaba", Account: "prod", Access: havip.Access{RoleARN: "acs:ram::1234567890123456:role/havip"}, Region: "cn-hangzhou", ID: "havip-bp1orders",
		InstanceType: "NetworkInterface", Members: []havip.Member{{ID: "eni-3", Instance: "eni-3"}, {ID: "eni-1", Instance: "i-db1"}},
		Hold: 1, Limit: 3, Mode: havip.Act, OnHealthFailed: havip.ForceReplace,
		ServingWithin: 10 * time.Second, CoolDown: 30 * time.Second, Deadline: 2 * time.Minute, MarkTTL: time.Hour,
		Probe: havip.Probe{How: "http", Port: 8080, Path: "/healthz"},
		Brake: havip.Brake{Failovers: 3, Within: time.Minute},
	}, {
		Name: "cache", Cloud: "baidu", Account: "bd", Access: havip.Access{Credentials: "file:/run/secrets/bce.json"}, Region: "bj", ID: "havip-w2d4",
		InstanceType: "SERVER", Members: []havip.Member{{ID: "i-syG1", Instance: "i-syG1"}},
		Hold: 1, Limit: 5, Mode: havip.Observe, OnHealthFailed: havip.Replace, // one member: the default hold is capped
		ServingWithin: 30 * time.Second, CoolDown: 90 * time.Second, Deadline: 5 * time.Minute, MarkTTL: 24 * time.Hour,
		Brake: havip.Brake{Failovers: 3, Within: time.Minute},
	}, {
		Name: "web", Cloud: "alibaba", Region: "cn-hangzhou", ID: "havip-web", InstanceType: "EcsInstance",
		Members: []havip.Member{{ID: "i-1", Instance: "i-1"}, {ID: "i-2", Instance: "i-2"}, {ID: "i-3", Instance: "i-3"}},
		Hold:    2, Limit: 2, Mode: havip.Observe, OnHealthFailed: havip.Replace,
		ServingWithin: 30 * time.Second, CoolDown: 90 * time.Second, Deadline: 5 * time.Minute, MarkTTL: 24 * time.Hour,
		Brake: havip.Brake{Failovers: 3, Within: time.Minute},
	}}
	for i := range want {
		want[i].Roster = r.Hash
	}
	if got := r.Policies(); !reflect.DeepEqual(got, want) {
		t.Errorf("policies\n%+v\nwant\n%+v", got, want)
	}
	if len(r.Hash) != 12 {
		t.Errorf("hash %q, want 12 digits", r.Hash)
	}
}

func TestInheritedHoldIsCapped(t *testing.T) {
	for _, c := range []struct{ hold, limit, members, want int }{
		{hold: 5, limit: 2, members: 3, want: 2},
		{hold: 5, limit: 9, members: 3, want: 3},
		{hold: 1, limit: 2, members: 3, want: 1},
	} {
		ids := []string{"i-1", "i-2", "i-3"}[:c.members]
		text := fmt.Sprintf("defaults: {hold: %d}\nhavips: [{name: a, cloud: alibaba, region: r, id: havip-1, limit: %d, members: [%s]}]",
			c.hold, c.limit, strings.Join(ids, ","))
		r, err := roster.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Policies()[0].Hold; got != c.want {
			t.Errorf("%+v: hold %d", c, got)
		}
	}
}

// Nothing is a value of its own, no default.
func TestNoPauseAtAll(t *testing.T) {
	for _, c := range []struct {
		defaults, entry         string
		coolDown, servingWithin time.Duration
	}{
		{"", "coolDown: 0s, servingWithin: 0s", 0, 0},
		{"", "coolDown: 0, servingWithin: 0", 0, 0},
		{"coolDown: 0, servingWithin: 0s", "mode: act", 0, 0},
		{"coolDown: 0, servingWithin: 0s", "coolDown: 5s, servingWithin: 6s", 5 * time.Second, 6 * time.Second},
		{"coolDown: 90s, servingWithin: 20s", "coolDown: 0s, servingWithin: 0", 0, 0},
	} {
		r, err := roster.Parse(fmt.Appendf(nil, "defaults: {%s}\nhavips: [{name: a, cloud: alibaba, region: r, id: havip-1, members: [i-1], %s}]", c.defaults, c.entry))
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if p := r.Policies()[0]; p.CoolDown != c.coolDown || p.ServingWithin != c.servingWithin {
			t.Errorf("%+v: coolDown %s, servingWithin %s", c, p.CoolDown, p.ServingWithin)
		}
	}
}

func TestPoliciesAreACopy(t *testing.T) {
	r, err := roster.Parse(roster.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	r.Policies()[0].Name = "changed"
	if got := r.Policies()[0].Name; got != "orders-db" {
		t.Errorf("a caller renamed it to %q", got)
	}
}

func TestBuiltin(t *testing.T) {
	r, err := roster.Parse(roster.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range r.Policies() {
		got = append(got, fmt.Sprint(p.Key(), p.Name, p.Members, p.Hold, p.Limit, p.InstanceType, p.Mode))
	}
	want := []string{
		fmt.Sprint("alibaba.cn-hangzhou.havip-bp1orders", "orders-db", members("i-db1", "i-db2", "i-db3"), 1, 2, "EcsInstance", "act"),
		fmt.Sprint("baidu.bj.havip-w2d4", "cache", members("i-syG1", "i-syG2", "i-syG3"), 1, 5, "SERVER", "act"),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func members(ids ...string) []havip.Member {
	var members []havip.Member
	for _, id := range ids {
		members = append(members, havip.Member{ID: id, Instance: id})
	}
	return members
}

func TestFind(t *testing.T) {
	policies := []havip.Policy{
		{Name: "orders", ID: "havip-1"},
		{Name: "cache", ID: "havip-2"},
	}
	for _, c := range []struct {
		name, want, err string
		among           []havip.Policy
	}{
		{name: "cache", want: "cache", among: policies},
		{name: "havip-2", want: "cache", among: policies},
		{name: "cash", err: `roster: no HAVIP "cash"; the roster has orders, cache`, among: policies},
		{name: "", err: `roster: no HAVIP ""; the roster has orders, cache`, among: policies},
		{name: "cache", err: `roster: no HAVIP "cache", nor any other; add it to the roster`},
	} {
		p, err := roster.Find(c.among, c.name)
		if p.Name != c.want || fmt.Sprint(err) != fmt.Sprint(orNil(c.err)) {
			t.Errorf("%q: %q, %v; want %q, %s", c.name, p.Name, err, c.want, c.err)
		}
	}
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}
