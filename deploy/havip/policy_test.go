package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"havip-functions/shared/roster"
)

func parsed(t *testing.T, text string) *roster.Roster {
	t.Helper()
	r, err := roster.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The policies of deploy/alibaba are what roster policy prints for the built-in
// roster, where s.yaml has it.
func TestPolicyFiles(t *testing.T) {
	for name, tt := range map[string]struct {
		ingress bool
		flag    string
	}{
		"policy.json":         {false, ""},
		"policy-ingress.json": {true, " --ingress"},
	} {
		var got bytes.Buffer
		g := grant{roster: parsed(t, string(roster.Builtin())), object: "havip-config/roster.yaml", ledger: ledgerOfSpec, ingress: tt.ingress, checks: "havip-status-check"}
		if err := g.policy().write(&got); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile("../alibaba/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("%s is old; write it with\n  havip roster policy shared/roster/roster.yaml --object havip-config/roster.yaml --ledger %s%s\nwhich prints\n%s", name, ledgerOfSpec, tt.flag, &got)
		}
	}
}

// ledgerOfSpec is that of s.yaml.
const ledgerOfSpec = "tablestore://havip-functions/havip_ledger"

const rosterOfAccounts = `
accounts:
  prod: {cloud: alibaba, roleArn: "acs:ram::2222222222222222:role/havip"}
  keys: {cloud: alibaba, credentials: "env:OTHER"}
havips:
  - {name: own, cloud: alibaba, region: cn-hangzhou, id: havip-own, members: [i-1]}
  - {name: theirs, cloud: alibaba, account: prod, region: cn-beijing, id: havip-prod, instanceType: NetworkInterface, members: [{id: eni-1, instance: i-2}]}
  - {name: apart, cloud: alibaba, account: keys, region: cn-beijing, id: havip-keys, members: [i-3]}
  - {name: cache, cloud: baidu, region: bj, id: havip-w2d4, members: [i-4]}
`

func TestPolicyNamesWhatTheRosterNames(t *testing.T) {
	r := parsed(t, rosterOfAccounts)
	for name, tt := range map[string]struct {
		grant   grant
		changes []string // what may be changed
		actions []string // the first of each statement
	}{
		"the functions": {grant{roster: r}, []string{"acs:vpc:cn-hangzhou:*:havip/havip-own", "acs:vpc:cn-hangzhou:*:instance/i-1"},
			[]string{"vpc:AssociateHaVip", "vpc:DescribeHaVips", "ecs:DescribeInstances", "sts:AssumeRole", "fc:InvokeFunction", "mns:SendMessage", "log:PostLogStoreLogs"}},
		"an account": {grant{roster: r, account: "prod"}, []string{"acs:vpc:cn-beijing:*:havip/havip-prod", "acs:vpc:cn-beijing:*:instance/eni-1"},
			[]string{"vpc:AssociateHaVip", "vpc:DescribeHaVips", "ecs:DescribeInstances"}},
		"everything": {grant{roster: r, object: "b/k", bus: "havip", vpc: true}, []string{"acs:vpc:cn-hangzhou:*:havip/havip-own", "acs:vpc:cn-hangzhou:*:instance/i-1"},
			[]string{"vpc:AssociateHaVip", "vpc:DescribeHaVips", "ecs:DescribeInstances", "sts:AssumeRole", "fc:InvokeFunction", "mns:SendMessage", "log:PostLogStoreLogs",
				"oss:GetObject", "eventbridge:PutEvents", "ecs:CreateNetworkInterface"}},
		"the web door": {grant{roster: r, ingress: true, object: "b/k", bus: "havip", ledger: "tablestore://Mine/t"}, nil,
			[]string{"fc:InvokeFunction", "mns:SendMessage", "log:PostLogStoreLogs", "oss:GetObject", "ots:GetRow", "ots:DeleteRow", "eventbridge:PutEvents"}},
		"a ledger elsewhere": {grant{roster: r, account: "prod", ledger: "tablestore://mine/t"}, []string{"acs:vpc:cn-beijing:*:havip/havip-prod", "acs:vpc:cn-beijing:*:instance/eni-1"},
			[]string{"vpc:AssociateHaVip", "vpc:DescribeHaVips", "ecs:DescribeInstances"}},
	} {
		t.Run(name, func(t *testing.T) {
			var actions []string
			p := tt.grant.policy()
			for _, s := range p.Statement {
				actions = append(actions, s.Action[0])
				if s.Action[0] == "vpc:AssociateHaVip" && !slices.Equal(s.Resource, tt.changes) {
					t.Errorf("it may change %v, want %v", s.Resource, tt.changes)
				}
			}
			if !slices.Equal(actions, tt.actions) {
				t.Errorf("got %v, want %v", actions, tt.actions)
			}
		})
	}
}

// The ledger's two tables are allowed each by its name, and no other.
func TestPolicyNamesTheLedgersTables(t *testing.T) {
	for address, want := range map[string]string{
		"tablestore://Mine/t?region=cn-beijing": "acs:ots:cn-beijing:*:instance/mine/table/t acs:ots:cn-beijing:*:instance/mine/table/t_history",
		"tablestore://mine/t":                   "acs:ots:cn-hangzhou:*:instance/mine/table/t acs:ots:cn-hangzhou:*:instance/mine/table/t_history",
		"redis://host":                          "",
	} {
		var got []string
		for _, s := range (grant{roster: parsed(t, rosterOfAccounts), ledger: address}).policy().Statement {
			if strings.HasPrefix(s.Action[0], "ots:") {
				got = append(got, s.Resource...)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %s", address, got, want)
		}
	}
}

func TestPolicyOfTheIngressHasNoAccount(t *testing.T) {
	if code := run(t.Context(), []string{"roster", "policy", file(t, "roster.yaml", rosterOfAccounts), "--ingress", "--account", "prod"}); code != exitUsage {
		t.Errorf("exit code %d, want %d", code, exitUsage)
	}
}

func TestPolicyOfBaiduAloneHasNoHAVIP(t *testing.T) {
	r := parsed(t, "havips: [{name: cache, cloud: baidu, region: bj, id: havip-w2d4, members: [i-4]}]\n")
	var text strings.Builder
	if err := (grant{roster: r}).policy().write(&text); err != nil || strings.Contains(text.String(), "vpc:") || !strings.Contains(text.String(), "fc:InvokeFunction") {
		t.Errorf("got %s, %v", text.String(), err)
	}
}

// Who names the function of the follow-ups otherwise may call that one alone.
func TestPolicyNamesTheFunctionOfTheFollowUps(t *testing.T) {
	out := havipRuns(t, []string{"HAVIP_FOLLOWUP_FUNCTION=db-look-again"}, "roster", "policy", file(t, "roster.yaml", rosterOfAccounts)).out
	if !strings.Contains(out, `"acs:fc:cn-hangzhou:*:functions/db-look-again"`) || strings.Contains(out, "havip-status-check") {
		t.Errorf("got %s", out)
	}
}
