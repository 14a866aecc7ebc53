package functionstest

import (
	"fmt"
	"strings"

	"havip-functions/shared/havip"
	"havip-functions/shared/roster"
	"havip-functions/shared/simulator"
)

// Scene is where a story begins. The zero value is an Alibaba HAVIP, "orders",
// that nobody holds, and four instances that run, i-db1 to i-db4, with the
// interfaces eni-1 to eni-4.
type Scene struct {
	Cloud   string                         // "": alibaba
	Policy  string                         // of orders, as roster.yaml has it; "": members [i-db1, i-db2, i-db3], hold 2
	Users   string                         // of a second HAVIP, "users"; "": off the roster
	Brake   string                         // of the region; "": the roster's own
	Holders []string                       // of orders; the first one that runs serves
	States  map[string]havip.InstanceState // of the instances that don't run
}

// The ids of the two HAVIPs.
const (
	Orders = "havip-orders"
	Users  = "havip-users"
)

func (s Scene) cloud() string {
	if s.Cloud == "" {
		return "alibaba"
	}
	return s.Cloud
}

func (s Scene) region() string {
	if s.cloud() == "baidu" {
		return "bj"
	}
	return "cn-hangzhou"
}

func (s Scene) roster() (*roster.Roster, error) {
	policy := s.Policy
	if policy == "" {
		policy = "members: [i-db1, i-db2, i-db3], hold: 2"
	}
	text := "havips:\n" + s.entry("orders", policy)
	if s.Users != "" {
		text += s.entry("users", s.Users)
	}
	if s.Brake != "" {
		text = "brake: {" + s.Brake + "}\n" + text
	}
	return roster.Parse([]byte(text))
}

func (s Scene) entry(name, policy string) string {
	return fmt.Sprintf("- {name: %s, id: havip-%s, cloud: %s, region: %s, %s}\n", name, name, s.cloud(), s.region(), policy)
}

func (s Scene) world() simulator.World {
	realm := simulator.Realm{Region: s.region(), AccessKeys: map[string]string{keys.AccessKeyID: keys.AccessKeySecret}}
	network := simulator.Network{ID: "net-a", VPC: "vpc-1"}
	baidu := s.cloud() == "baidu"
	place := func(vswitch, subnet *string) {
		if baidu {
			vswitch = subnet
		}
		*vswitch = network.ID
	}
	for n := range 4 {
		id := fmt.Sprintf("i-db%d", n+1)
		i := simulator.Instance{ID: id, State: s.States[id]}
		e := simulator.Interface{ID: fmt.Sprintf("eni-%d", n+1), Instance: id}
		place(&i.VSwitch, &i.Subnet)
		place(&e.VSwitch, &e.Subnet)
		realm.Instances, realm.Interfaces = append(realm.Instances, i), append(realm.Interfaces, e)
	}
	for n, id := range []string{Orders, Users} {
		h := simulator.HAVIP{ID: id, IP: fmt.Sprintf("10.0.0.%d", 100+n)}
		place(&h.VSwitch, &h.Subnet)
		realm.HAVIPs = append(realm.HAVIPs, h)
	}
	realm.HAVIPs[0].Holders = s.Holders
	if baidu {
		realm.Subnets = []simulator.Network{network}
		return simulator.World{Baidu: simulator.Realms{realm}}
	}
	realm.VSwitches = []simulator.Network{network}
	return simulator.World{Alibaba: simulator.Realms{realm}}
}

var keys = havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "testsk"}

// short is a HAVIP's name on the roster.
func short(id string) string { return strings.TrimPrefix(id, "havip-") }
