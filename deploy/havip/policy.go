package main

import (
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/roster"
	"havip-functions/shared/runtime/fc"
)

// ramPolicy is a policy of Alibaba Cloud's RAM.
type ramPolicy struct {
	Version   string         `json:"Version"`
	Statement []ramStatement `json:"Statement"`
}

type ramStatement struct {
	Effect   string   `json:"Effect"`
	Action   []string `json:"Action"`
	Resource []string `json:"Resource"`
}

// grant is what a policy is written for.
type grant struct {
	roster  *roster.Roster
	account string // of the roster; "" for the role of the functions themselves
	object  string // bucket/key of the roster, if it is in OSS
	bus     string // that outcomes go to, if any
	ledger  string // its address; the role needs rights where that is Tablestore's
	vpc     bool   // the functions are in a VPC
	ingress bool   // the role of the web door, which makes no call to a cloud
	checks  string // the function that takes follow-ups
}

func rosterPolicyCommand() *cobra.Command {
	var g grant
	cmd := &cobra.Command{
		Use:   "policy [FILE]",
		Short: "Print the RAM policy that a roster asks for, and no more",
		Long: `Print the RAM policy that a roster asks for: of the functions' role on Alibaba
Cloud, or, with --ingress, of the web door's, or, with --account, of the role that
the functions assume in that account.`,
		Example: `  havip roster policy roster.yaml
  havip roster policy roster.yaml --ingress
  havip roster policy roster.yaml --account prod
  havip roster policy roster.yaml --object havip-config/roster.yaml --bus havip --vpc
  havip roster policy roster.yaml --ledger tablestore://havip-functions/havip_ledger`,
		Args: cobra.MaximumNArgs(1),
	}
	where, _ := strings.CutPrefix(os.Getenv("HAVIP_ROSTER"), "oss://")
	if where == os.Getenv("HAVIP_ROSTER") {
		where = ""
	}
	f := cmd.Flags()
	f.StringVar(&g.account, "account", "", "the role that is assumed in this account of the roster")
	f.StringVar(&g.object, "object", where, "bucket/key of the roster in OSS (HAVIP_ROSTER, where it says oss://)")
	f.StringVar(&g.bus, "bus", os.Getenv("HAVIP_OUTCOME_BUS"), "the bus that outcomes go to (HAVIP_OUTCOME_BUS)")
	f.StringVar(&g.ledger, "ledger", os.Getenv("HAVIP_LEDGER"), "the ledger of the functions (HAVIP_LEDGER)")
	f.StringVar(&g.checks, "follow-ups", fc.FollowUps(os.Getenv), "the function that takes follow-ups (HAVIP_FOLLOWUP_FUNCTION)")
	f.BoolVar(&g.vpc, "vpc", false, "the functions are in a VPC")
	f.BoolVar(&g.ingress, "ingress", false, "the role of havip-ingress, which touches no HAVIP")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		file, err := openRoster(append(args, "")[0])
		if err != nil {
			return err
		}
		if g.ingress && g.account != "" {
			return usage("the ingress has no role in an account of the roster; drop --account or --ingress")
		}
		g.roster = file.Current()
		if a, known := g.roster.Accounts[g.account]; g.account != "" && (!known || a.RoleARN == "") {
			return usage("%s is no account of the roster with a roleArn", g.account)
		}
		return g.policy().write(os.Stdout)
	}
	return cmd
}

// policy allows what the functions call, on what the roster names.
func (g grant) policy() ramPolicy {
	p := ramPolicy{Version: "1"}
	own, regions := g.held()
	if !g.ingress {
		p.allow(own, "vpc:AssociateHaVip", "vpc:UnassociateHaVip")
		p.allow(in(regions, "acs:vpc:{region}:*:havip/*"), "vpc:DescribeHaVips") // a list: RAM knows no ids for it
		p.allow(in(regions, "acs:ecs:{region}:*:instance/*", "acs:ecs:{region}:*:eni/*"), "ecs:DescribeInstances", "ecs:DescribeNetworkInterfaces")
	}
	if g.account != "" {
		return p
	}
	if !g.ingress {
		p.allow(g.roles(), "sts:AssumeRole")
	}
	if len(regions) == 0 {
		regions = []string{"*"} // the roster names none of Alibaba's
	}
	p.allow(in(regions, "acs:fc:{region}:*:functions/"+g.checks), "fc:InvokeFunction")
	p.allow(in(regions, "acs:mns:{region}:*:/queues/havip-dead-letters/messages"), "mns:SendMessage")
	p.allow(in(regions, "acs:log:{region}:*:project/havip-functions/logstore/functions"), "log:PostLogStoreLogs")
	if g.object != "" {
		p.allow([]string{"acs:oss:*:*:" + g.object}, "oss:GetObject")
	}
	p.allowLedger(regions, g.ledger)
	if g.bus != "" {
		p.allow(in(regions, "acs:eventbridge:{region}:*:eventbus/"+g.bus), "eventbridge:PutEvents")
	}
	if g.vpc {
		p.allow([]string{"*"}, "ecs:CreateNetworkInterface", "ecs:DeleteNetworkInterface", "ecs:DescribeNetworkInterfaces",
			"ecs:CreateNetworkInterfacePermission", "ecs:DescribeNetworkInterfacePermissions", "vpc:DescribeVSwitchAttributes")
	}
	return p
}

func (p ramPolicy) write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(p)
}

// allow adds a statement, unless there is nothing to allow it on.
func (p *ramPolicy) allow(resources []string, actions ...string) {
	if len(resources) > 0 {
		p.Statement = append(p.Statement, ramStatement{"Allow", actions, resources})
	}
}

// allowLedger allows what a ledger in Tablestore does with its two tables. RAM has the
// names of instances in small letters.
// https://www.alibabacloud.com/help/en/tablestore/tablestore-ram-policy/
func (p *ramPolicy) allowLedger(regions []string, address string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "tablestore" {
		return
	}
	if region := u.Query().Get("region"); region != "" {
		regions = []string{region}
	}
	kept, history := ledger.TablestoreRights()
	table := "acs:ots:{region}:*:instance/" + strings.ToLower(u.Host) + "/table" + u.Path
	p.allow(in(regions, table), prefixed("ots:", kept)...)
	p.allow(in(regions, table+"_history"), prefixed("ots:", history)...)
}

func prefixed(with string, names []string) (all []string) {
	for _, name := range names {
		all = append(all, with+name)
	}
	return all
}

// held are the HAVIPs and members of the account, and their regions.
func (g grant) held() (resources, regions []string) {
	found := map[string]bool{}
	for _, p := range g.roster.Policies() {
		if p.Cloud != "alibaba" || g.rolesAccount(p) != g.account {
			continue
		}
		regions = append(regions, p.Region)
		vpc := "acs:vpc:" + p.Region + ":*:"
		found[vpc+"havip/"+p.ID] = true
		for _, m := range p.Members {
			found[vpc+"instance/"+m.ID] = true
		}
	}
	slices.Sort(regions)
	return slices.Sorted(maps.Keys(found)), slices.Compact(regions)
}

// rolesAccount is the account whose role serves a HAVIP. One with keys of its
// own is nobody's role.
func (g grant) rolesAccount(p havip.Policy) string {
	switch account := g.roster.Accounts[p.Account]; {
	case p.Account == "" || account.RoleARN != "":
		return p.Account
	default:
		return "the keys of " + cmp.Or(account.Credentials, p.Account)
	}
}

func (g grant) roles() (arns []string) {
	for _, a := range g.roster.Accounts {
		if a.RoleARN != "" && a.Credentials == "" { // else its own keys assume it
			arns = append(arns, a.RoleARN)
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// in writes each resource once for each region.
func in(regions []string, resources ...string) (all []string) {
	for _, region := range regions {
		for _, r := range resources {
			all = append(all, strings.ReplaceAll(r, "{region}", region))
		}
	}
	return all
}
