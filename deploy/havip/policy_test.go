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

// deploy/alibaba/policy.json is what roster policy prints for the built-in
// roster, where s.yaml has it.
func TestPolicyFile(t *testing.T) {
	var got bytes.Buffer
	g := grant{roster: parsed(t, string(roster.Builtin())), object: "havip-config/roster.yaml"}
	if err := g.policy().write(&got); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../alibaba/policy.json")
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("policy.json is old; write it with\n  havip roster policy shared/roster/roster.yaml --object havip-config/roster.yaml\nwhich prints\n%s", &got)
	}
}

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
		actions []string // beside those of every policy
	}{
		"the functions": {grant{roster: r}, []string{"acs:vpc:cn-hangzhou:*:havip/havip-own", "acs:vpc:cn-hangzhou:*:instance/i-1"},
			[]string{"sts:AssumeRole", "fc:InvokeFunction", "mns:SendMessage", "log:PostLogStoreLogs"}},
		"an account": {grant{roster: r, account: "prod"}, []string{"acs:vpc:cn-beijing:*:havip/havip-prod", "acs:vpc:cn-beijing:*:instance/eni-1"}, nil},
		"everything": {grant{roster: r, object: "b/k", bus: "havip", vpc: true}, []string{"acs:vpc:cn-hangzhou:*:havip/havip-own", "acs:vpc:cn-hangzhou:*:instance/i-1"},
			[]string{"sts:AssumeRole", "fc:InvokeFunction", "mns:SendMessage", "log:PostLogStoreLogs", "oss:GetObject", "eventbridge:PutEvents", "ecs:CreateNetworkInterface"}},
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
			want := append([]string{"vpc:AssociateHaVip", "vpc:DescribeHaVips", "ecs:DescribeInstances"}, tt.actions...)
			if !slices.Equal(actions, want) {
				t.Errorf("got %v, want %v", actions, want)
			}
		})
	}
}

func TestPolicyOfBaiduAloneHasNoHAVIP(t *testing.T) {
	r := parsed(t, "havips: [{name: cache, cloud: baidu, region: bj, id: havip-w2d4, members: [i-4]}]\n")
	var text strings.Builder
	if err := (grant{roster: r}).policy().write(&text); err != nil || strings.Contains(text.String(), "vpc:") || !strings.Contains(text.String(), "fc:InvokeFunction") {
		t.Errorf("got %s, %v", text.String(), err)
	}
}
