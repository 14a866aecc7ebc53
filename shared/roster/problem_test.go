package roster_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"havip-functions/shared/roster"
	"havip-functions/shared/yamlfile"
)

// entry is a good roster; a test replaces one line of it.
const entry = `accounts:
  prod: {cloud: alibaba, roleArn: "acs:ram::1:role/havip"}
  bd: {cloud: baidu, credentials: "env:BD"}
defaults: {coolDown: 60s}
havips:
  - name: orders-db
    cloud: alibaba
    account: prod
    region: cn-hangzhou
    id: havip-1
    instanceType: EcsInstance
    members: [i-1, i-2, i-3]
    hold: 2
    limit: 2
    mode: act
    onHealthFailed: replace
    deadline: 5m
`

func TestProblems(t *testing.T) {
	const members = "[i-1, i-2, i-3]"
	for _, c := range []struct{ name, old, now, want string }{
		{"hold above limit", "hold: 2", "hold: 3", "line 13: havips[0].hold: 3 is more than its limit 2; lower hold or raise limit"},
		{"hold zero", "hold: 2", "hold: 0", "line 13: havips[0].hold: must be a whole number from 1 up"},
		{"limit negative", "limit: 2", "limit: -1", "line 14: havips[0].limit: must be a whole number from 1 up"},
		{"limit a word", "limit: 2", "limit: two", "line 14: havips[0].limit: must be a whole number from 1 up"},
		{"limit a list", "limit: 2", "limit: [2]", "line 14: havips[0].limit: must be a whole number from 1 up"},
		{"misspelt key", "onHealthFailed", "onHealthFail", "line 16: havips[0].onHealthFail: unknown key; did you mean onHealthFailed?"},
		{"two letters swapped", "hold: 2", "hodl: 2", "line 13: havips[0].hodl: unknown key; did you mean hold?"},
		{"wrong case", "instanceType", "instancetype", "line 11: havips[0].instancetype: unknown key; did you mean instanceType?"},
		{"foreign key in defaults", "{coolDown: 60s}", "{members: []}", "line 4: defaults.members: unknown key; the keys here are mode, hold, limit, onHealthFailed, servingWithin, coolDown, deadline, markTTL"},
		{"unknown top key", "defaults:", "default:", "line 4: default: unknown key; did you mean defaults?"},
		{"key twice", "mode: act", "mode: act\n    mode: paused", "line 16: havips[0].mode: appears twice; keep one of them"},
		{"account twice", "bd: {", "prod: {", "line 3: accounts.prod: appears twice; keep one of them"},
		{"unknown mode", "mode: act", "mode: dry", `line 15: havips[0].mode: "dry" is unknown; it is one of act, observe, paused`},
		{"unknown choice", "replace", "detach", `line 16: havips[0].onHealthFailed: "detach" is unknown; it is one of add, replace, forceReplace`},
		{"unknown cloud", "cloud: alibaba\n    acc", "cloud: aws\n    acc", `line 7: havips[0].cloud: "aws" is unknown; it is one of alibaba, baidu`},
		{"foreign type", "EcsInstance", "SERVER", `line 11: havips[0].instanceType: "SERVER" is unknown; it is one of EcsInstance, NetworkInterface`},
		{"unknown account", "account: prod", "account: test", `line 8: havips[0].account: "test" is not among the accounts; add it there`},
		{"account of the other cloud", "account: prod", "account: bd", `line 8: havips[0].account: "bd" is an account of baidu; use one of alibaba`},
		{"bad duration", "deadline: 5m", "deadline: 300", `line 17: havips[0].deadline: "300" is no duration; write it like 90s, 5m or 24h`},
		{"negative duration", "deadline: 5m", "deadline: -5m", `line 17: havips[0].deadline: "-5m" is no duration; write it like 90s, 5m or 24h`},
		{"no duration", "deadline: 5m", "deadline: 0s", `line 17: havips[0].deadline: "0s" is no duration; write it like 90s, 5m or 24h`},
		{"a probe of another", "deadline: 5m", "probe: tcp:10.0.0.1:80", `line 17: havips[0].probe: "tcp:10.0.0.1:80" is no probe; write it like tcp:5432, http:8080/healthz or icmp`},
		{"a probe of no port", "deadline: 5m", "probe: tcp:0", `line 17: havips[0].probe: "tcp:0" is no probe`},
		{"a probe beyond the ports", "deadline: 5m", "probe: http:65536/", `line 17: havips[0].probe: "http:65536/" is no probe`},
		{"a probe of two lines", "deadline: 5m", `probe: "http:80/a\r\nHost: b"`, `line 17: havips[0].probe: "http:80/a`},
		{"a probe by name", "deadline: 5m", "probe: ping", `line 17: havips[0].probe: "ping" is no probe`},
		{"no markTTL", "deadline: 5m", "markTTL: 0", `line 17: havips[0].markTTL: "0" is no duration; write it like 90s, 5m or 24h`},
		{"negative coolDown", "deadline: 5m", "coolDown: -1s", `line 17: havips[0].coolDown: "-1s" is no duration; write it like 90s or 5m, or 0s for none`},
		{"a bare number", "deadline: 5m", "servingWithin: 30", `line 17: havips[0].servingWithin: "30" is no duration; write it like 90s or 5m, or 0s for none`},
		{"coolDown as long as the deadline", "deadline: 5m", "deadline: 60s", "line 17: havips[0].coolDown: 1m0s is not less than the deadline 1m0s; a story that waits for it would never act"},
		{"no name", "name: orders-db", "name: ", "line 6: havips[0].name: missing; call it something like orders-db"},
		{"no region", "    region: cn-hangzhou\n", "", "line 6: havips[0].region: missing; write it like cn-hangzhou or bj"},
		{"a region that would lead elsewhere", "cn-hangzhou", "evil.example/", `line 9: havips[0].region: "evil.example/" has the wrong form; write it like cn-hangzhou or bj`},
		{"an id of something else", "havip-1", "eip-1", `line 10: havips[0].id: "eip-1" has the wrong form; write it like havip-bp1orders`},
		{"an id that a ledger's key can't hold", "havip-1", `"havip-1.>"`, `line 10: havips[0].id: "havip-1.>" has the wrong form; write it like havip-bp1orders`},
		{"no members", members, "[]", "line 12: havips[0].members: missing or empty; name the instances that may hold it"},
		{"members no list", members, "i-1", "line 12: havips[0].members: must be a list\nline 12: havips[0].members: missing or empty; name the instances that may hold it"},
		{"a member twice", members, "[i-1, i-2, i-1]", `line 12: havips[0].members[2]: "i-1" is a member already; name each instance once`},
		{"an interface among instances", members, "[i-1, i-2, eni-1]", `line 12: havips[0].members[2]: "eni-1" is no instance; write it like i-db1, or change instanceType`},
		{"an instance of another", members, "[i-1, i-2, {id: i-3, instance: i-4}]", `line 12: havips[0].members[2]: "i-3" is an instance and can't belong to "i-4"; drop instance`},
		{"a list as member", members, "[i-1, i-2, [i-3]]", "line 12: havips[0].members[2]: must be an id, or {id: eni-1, instance: i-1}"},
		{"a member without id", members, "[i-1, i-2, {instance: i-3}]", "line 12: havips[0].members[2].id: missing; name the instance or interface"},
		{"an account with nothing", `{cloud: baidu, credentials: "env:BD"}`, "{cloud: baidu}", "line 3: accounts.bd: has neither roleArn nor credentials; give it one"},
		{"a role for Baidu", `credentials: "env:BD"`, "roleArn: x", "line 3: accounts.bd.roleArn: Baidu accounts assume no role; use credentials"},
		{"no role", "acs:ram::1:role/havip", "havip", "line 2: accounts.prod.roleArn: no role; write acs:ram::1234567890123456:role/NAME"},
		{"a secret is not repeated", "env:BD", "AKSECRET", "line 3: accounts.bd.credentials: must be file:PATH or env:PREFIX, never the keys themselves"},
		{"alias", "{coolDown: 60s}", "&d {coolDown: 60s}\nhavips: *d", "line 5: havips: aliases are not read; write the value out"},
		{"merge", "mode: act", "<<: {mode: act}", "line 15: havips[0]: a key must be a plain word; write merged values out"},
		{"a list for a word", "havip-1", "[havip-1]", "line 10: havips[0].id: must be one word\nline 10: havips[0].id: missing; write it like havip-bp1orders"},
		{"an entry that is a word", "  - name: orders-db\n", "  - orders\n  - name: orders-db\n", "line 6: havips[0]: must be a mapping of keys to values"},
		{"a name taken", "deadline: 5m\n", "deadline: 5m\n  - {name: havip-1, cloud: baidu, region: bj, id: havip-2, members: [i-1]}\n",
			`line 18: havips[1].name: "havip-1" is taken by havips[0]; every name and id stands for one HAVIP`},
		{"an id taken", "deadline: 5m\n", "deadline: 5m\n  - {name: b, cloud: alibaba, region: cn-hangzhou, id: havip-1, members: [i-1]}\n",
			`line 18: havips[1].id: "havip-1" is taken by havips[0]; every name and id stands for one HAVIP`},
		{"two problems", "hold: 2\n    limit: 2\n    mode: act", "hold: x\n    limit: 2\n    mode: dry",
			"line 15: havips[0].mode: \"dry\" is unknown; it is one of act, observe, paused\nline 13: havips[0].hold: must be a whole number from 1 up"},
		{"two documents", "deadline: 5m\n", "deadline: 5m\n---\na: b\n", "line 18: more than one document; keep the first only"},
		{"no YAML", "hold: 2", "hold: [", "line 13: not YAML: did not find expected ',' or ']', here or in the block that begins here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(entry, c.old, c.now, 1)
			if text == entry {
				t.Fatalf("%q is not in the roster", c.old)
			}
			r, err := roster.Parse([]byte(text))
			if err == nil {
				t.Fatalf("parsed: %+v", r.Policies())
			}
			if !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
			var problem *yamlfile.Problem
			if !errors.As(err, &problem) {
				t.Errorf("%T holds no *Problem", err)
			}
		})
	}
}

func TestWholeRosters(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "roster: havips: missing or empty; name at least one HAVIP"},
		{"only a comment", "# later\n", "roster: havips: missing or empty; name at least one HAVIP"},
		{"null", "null\n", "havips: missing or empty; name at least one HAVIP"},
		{"a list", "[]\n", "line 1: must be a mapping of keys to values\nline 1: havips: missing or empty; name at least one HAVIP"},
		{"no havips", "defaults: {}\n", "line 1: havips: missing or empty; name at least one HAVIP"},
		{"Latin 1", "havips: \xe9\n", "roster: not UTF-8; encode it so"},
		{"too large", "# " + strings.Repeat("x", 4<<20), "roster: larger than 4194304 bytes; split it"},
		{"interfaces", "havips:\n- {name: a, cloud: baidu, region: bj, id: havip-1, instanceType: ENI, members: [i-1]}\n",
			`line 2: havips[0].members[0]: "i-1" is no interface; write it like eni-1, or change instanceType`},
		{"two interfaces of one instance", "havips:\n- name: a\n  cloud: baidu\n  region: bj\n  id: havip-1\n  instanceType: ENI\n  members:\n" +
			"  - {id: eni-1, instance: i-1}\n  - {id: eni-2, instance: i-1}\n",
			`line 9: havips[0].members[1]: "eni-2" is a member already; name each instance once`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := roster.Parse([]byte(c.text))
			if err == nil || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// A record keeps a mark for each member, under its id.
func TestMembersAreBounded(t *testing.T) {
	long := strings.Repeat("x", 64)
	text := "havips:\n- name: " + long + "\n  cloud: alibaba\n  region: r\n  id: havip-" + long + "\n  members:\n"
	for i := range 16 {
		text += fmt.Sprintf("  - i-%s%02d\n", long[2:], i)
	}
	r, err := roster.Parse([]byte(text))
	if err != nil || len(r.Policies()[0].Members) != 16 {
		t.Fatalf("16 members, and names as long as may be: %v", err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"one too many", text + "  - i-17\n", `line 23: havips[0].members[16]: a HAVIP has at most 16 members; drop 1`},
		{"a thousand too many", text + strings.Repeat("  - i-17\n", 1000), `line 23: havips[0].members[16]: a HAVIP has at most 16 members; drop 1000`},
		{"a long name", strings.Replace(text, "name: x", "name: xx", 1), `line 2: havips[0].name: "` + long[:60] + `…" has the wrong form; call it something like orders-db`},
		{"a long id", strings.Replace(text, "havip-x", "havip-xx", 1), `line 5: havips[0].id: "havip-` + long[:54] + `…" has the wrong form; write it like havip-bp1orders`},
		{"a long member", strings.Replace(text, "i-x", "i-xx", 1), `line 7: havips[0].members[0]: "i-` + long[:58] + `…" is no instance; write it like i-db1, or change instanceType`},
	} {
		if _, err := roster.Parse([]byte(c.text)); err == nil || err.Error() != c.want {
			t.Errorf("%s:\ngot  %v\nwant %s", c.name, err, c.want)
		}
	}
}

func TestAliasBomb(t *testing.T) {
	text := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'z'; c++ {
		text += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 9) + "]\n"
	}
	if _, err := roster.Parse([]byte(text + "havips: *z\n")); err == nil {
		t.Error("parsed")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(entry))
	f.Add(roster.Builtin())
	f.Add([]byte("havips: &a [*a]\n? {a: b}\n: c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := roster.Parse(data)
		if (r == nil) == (err == nil) {
			t.Fatalf("roster %v with error %v", r, err)
		}
		if err != nil {
			return
		}
		for _, p := range r.Policies() {
			if p.Hold < 1 || p.Hold > p.Limit || p.Hold > len(p.Members) || p.CoolDown >= p.Deadline || p.Name == "" {
				t.Errorf("accepted %+v", p)
			}
		}
	})
}
