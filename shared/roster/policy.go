package roster

import (
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/yamlfile"
)

// cloud is what differs between the two.
type cloud struct {
	limit         int      // how many may hold a HAVIP, as the vendor says
	instanceTypes []string // the default first, the interface second
}

var clouds = map[string]cloud{
	"alibaba": {limit: 2, instanceTypes: []string{"EcsInstance", "NetworkInterface"}},
	"baidu":   {limit: 5, instanceTypes: []string{"SERVER", "ENI"}},
}

// settingKeys are the keys that an entry and the defaults have in common.
var settingKeys = []string{
	"mode", "hold", "limit", "onHealthFailed", "servingWithin", "coolDown", "deadline", "markTTL",
}

var entryKeys = append([]string{"name", "cloud", "account", "region", "id", "instanceType", "members", "probe"}, settingKeys...)

// standard holds what neither an entry nor the defaults say. Its limit is the
// cloud's.
var standard = havip.Policy{
	Hold:           2,
	Mode:           havip.Act,
	OnHealthFailed: havip.Replace,
	ServingWithin:  30 * time.Second,
	CoolDown:       time.Minute,
	Deadline:       5 * time.Minute,
	MarkTTL:        24 * time.Hour,
	Brake:          havip.Brake{Failovers: 10, Within: 10 * time.Minute},
}

// mapping is the entry of a HAVIP, or the defaults of all.
type mapping struct{ yamlfile.Mapping }

func readPolicies(top yamlfile.Mapping, accounts map[string]Account) []havip.Policy {
	standard := standard
	standard.Brake = readBrake(top.Read(top.Get("brake"), "brake", "failovers", "within"), standard.Brake)
	defaults := mapping{top.Read(top.Get("defaults"), "defaults", settingKeys...)}.settings(standard)
	entries := top.Mappings("havips", entryKeys...)
	if len(entries) == 0 {
		top.Fail(top.Near("havips"), "havips", "missing or empty; name at least one HAVIP")
	}
	var policies []havip.Policy
	seen := map[string]string{}
	for _, entry := range entries {
		m := mapping{entry}
		p := m.policy(defaults)
		m.checkAccount(p, accounts)
		p.Access = havip.Access{RoleARN: accounts[p.Account].RoleARN, Credentials: accounts[p.Account].Credentials}
		m.checkUnique(p, seen)
		policies = append(policies, p)
	}
	return policies
}

// policy reads one entry. What is wrong with it is reported.
func (m mapping) policy(defaults havip.Policy) havip.Policy {
	p := m.settings(defaults)
	p.Name = m.form("name", havip.IsName, "call it something like orders-db")
	p.Cloud = m.Choice("cloud", "", "alibaba", "baidu")
	p.Account = m.Text("account", "")
	p.Region = m.form("region", havip.IsRegion, "write it like cn-hangzhou or bj")
	p.ID = m.form("id", havip.IsHAVIP, "write it like havip-bp1orders")
	p.Probe = m.probe()
	c, known := clouds[p.Cloud]
	if !known {
		return p
	}
	p.InstanceType = m.Choice("instanceType", c.instanceTypes[0], c.instanceTypes...)
	p.Members = m.members(p.InstanceType == c.instanceTypes[1])
	if p.Limit == 0 {
		p.Limit = c.limit
	}
	m.checkHold(&p)
	m.checkTimes(p)
	return p
}

// settings overlays what the mapping says on what stands without it.
func (m mapping) settings(p havip.Policy) havip.Policy {
	p.Mode = havip.Mode(m.Choice("mode", string(p.Mode),
		string(havip.Act), string(havip.Observe), string(havip.Paused)))
	p.OnHealthFailed = havip.OnHealthFailed(m.Choice("onHealthFailed", string(p.OnHealthFailed),
		string(havip.Add), string(havip.Replace), string(havip.ForceReplace)))
	p.Hold = m.Number("hold", p.Hold, 1)
	p.Limit = m.Number("limit", p.Limit, 1)
	p.ServingWithin = m.Pause("servingWithin", p.ServingWithin)
	p.CoolDown = m.Pause("coolDown", p.CoolDown)
	p.Deadline = m.Duration("deadline", p.Deadline)
	p.MarkTTL = m.Duration("markTTL", p.MarkTTL)
	return p
}

func readBrake(m yamlfile.Mapping, b havip.Brake) havip.Brake {
	return havip.Brake{Failovers: m.Number("failovers", b.Failovers, 1), Within: m.Duration("within", b.Within)}
}

// form reads a required text of a certain form.
func (m mapping) form(key string, is func(string) bool, what string) string {
	text := m.Required(key, what)
	if text != "" && !is(text) {
		m.Fail(m.Near(key), m.At(key), "%s has the wrong form; %s", yamlfile.Shown(text), what)
	}
	return text
}

// checkHold takes a hold of the entry at its word, and caps one that it only
// inherits.
func (m mapping) checkHold(p *havip.Policy) {
	n := m.Get("hold")
	switch {
	case n == nil && len(p.Members) > 0:
		p.Hold = min(p.Hold, p.Limit, len(p.Members))
	case n == nil:
	case p.Hold > p.Limit:
		m.Fail(n, m.At("hold"), "%d is more than its limit %d; lower hold or raise limit", p.Hold, p.Limit)
	}
}

func (m mapping) checkTimes(p havip.Policy) {
	if p.CoolDown >= p.Deadline {
		m.Fail(m.Near("coolDown", "deadline"), m.At("coolDown"),
			"%s is not less than the deadline %s; a story that waits for it would never act", p.CoolDown, p.Deadline)
	}
}

func (m mapping) checkAccount(p havip.Policy, accounts map[string]Account) {
	account, known := accounts[p.Account]
	switch {
	case p.Account == "":
	case !known:
		m.Fail(m.Near("account"), m.At("account"), "%s is not among the accounts; add it there", yamlfile.Shown(p.Account))
	case account.Cloud != p.Cloud && p.Cloud != "" && account.Cloud != "":
		m.Fail(m.Near("account"), m.At("account"), "%s is an account of %s; use one of %s", yamlfile.Shown(p.Account), account.Cloud, p.Cloud)
	}
}

// checkUnique lets nobody mistake one HAVIP for another: a name is never the
// name or the id of a second one.
func (m mapping) checkUnique(p havip.Policy, seen map[string]string) {
	for _, k := range []struct{ key, value string }{{"name", p.Name}, {"id", p.ID}} {
		if k.value == "" {
			continue
		}
		if earlier := seen[k.value]; earlier != "" && earlier != m.Path() {
			m.Fail(m.Near(k.key), m.At(k.key), "%s is taken by %s; every name and id stands for one HAVIP", yamlfile.Shown(k.value), earlier)
		}
		seen[k.value] = m.Path()
	}
}
