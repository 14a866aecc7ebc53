package simulator

import (
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator/worldfile"
)

// What a world consists of, in the words of its file.
type (
	// World is what its file describes.
	World = worldfile.World
	// Realms is the regions of one cloud.
	Realms = worldfile.Realms
	// Realm is one region of a cloud, with its keys.
	Realm = worldfile.Realm
	// Network is a vSwitch or a subnet.
	Network = worldfile.Network
	// Instance is a virtual machine.
	Instance = worldfile.Instance
	// Interface is a network interface of one.
	Interface = worldfile.Interface
	// HAVIP is one HAVIP of a world.
	HAVIP = worldfile.HAVIP
)

// Builtin is the small world that serves where none is given: one region of each
// cloud, one HAVIP that nobody holds, the access key testak with the secret testsk.
func Builtin() World {
	keys := func() map[string]string { return map[string]string{"testak": "testsk"} }
	return World{
		Alibaba: Realms{{
			Region:     "cn-hangzhou",
			AccessKeys: keys(),
			VSwitches:  []Network{{ID: "vsw-a", VPC: "vpc-1"}, {ID: "vsw-b", VPC: "vpc-1"}},
			Instances: []Instance{
				{ID: "i-db1", VSwitch: "vsw-a", State: havip.Running},
				{ID: "i-db2", VSwitch: "vsw-a", State: havip.Running},
				{ID: "i-db3", VSwitch: "vsw-a", State: havip.Running},
				{ID: "i-web1", VSwitch: "vsw-b", State: havip.Running},
			},
			Interfaces: []Interface{
				{ID: "eni-1", VSwitch: "vsw-a", Instance: "i-db1"},
				{ID: "eni-2", VSwitch: "vsw-a", Instance: "i-db2"},
			},
			HAVIPs: []HAVIP{{ID: "havip-bp1orders", VSwitch: "vsw-a", IP: "10.0.0.100"}},
		}},
		Baidu: Realms{{
			Region:     "bj",
			AccessKeys: keys(),
			Subnets:    []Network{{ID: "sbn-a", VPC: "vpc-1"}},
			Instances: []Instance{
				{ID: "i-syG1", Subnet: "sbn-a", State: havip.Running},
				{ID: "i-syG2", Subnet: "sbn-a", State: havip.Running},
				{ID: "i-syG3", Subnet: "sbn-a", State: havip.Running},
			},
			HAVIPs: []HAVIP{{ID: "havip-w2d4", Subnet: "sbn-a", IP: "192.168.0.100"}},
		}},
	}
}
