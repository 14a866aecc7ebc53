package worldfile

import (
	"go.yaml.in/yaml/v3"

	"havip-functions/shared/havip"
	"havip-functions/shared/yamlfile"
)

// Read reads a world file.
func Read(path string) (World, error) {
	file, err := yamlfile.Load("world", path)
	if err != nil {
		return World{}, err
	}
	return parse(file)
}

// Parse reads a world in YAML or JSON. Its error joins one [*yamlfile.Problem] for
// each value that can't be read, or is the first contradiction of those that can.
func Parse(data []byte) (World, error) { return parse(yamlfile.File{Kind: "world", Text: data}) }

func parse(file yamlfile.File) (World, error) {
	top, err := file.Mapping("alibaba", "baidu")
	if err != nil {
		return World{}, err
	}
	w := World{Alibaba: realms(top, "alibaba"), Baidu: realms(top, "baidu")}
	if len(w.Alibaba)+len(w.Baidu) == 0 {
		top.Fail(nil, "", "no cloud is described; give alibaba, baidu or both")
	}
	if err := top.Err(); err != nil {
		return World{}, err
	}
	return w, w.check(file.Path)
}

// realms takes one realm or a list.
func realms(top yamlfile.Mapping, cloud string) Realms {
	keys := []string{
		"region", "account", "accessKeys", "securityTokens", "vswitches", "subnets", "instances", "interfaces", "havips",
		"havipsPerInstance", "mastersByInstance", "noHAVIPPrivilege", "noInterfaceBinding",
	}
	n := top.Get(cloud)
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.SequenceNode:
		return each(top, cloud, realm, keys...)
	default:
		return Realms{realm(top.Read(n, cloud, keys...))}
	}
}

func realm(m yamlfile.Mapping) Realm {
	return Realm{
		Region:             m.Text("region", ""),
		Account:            m.Text("account", ""),
		AccessKeys:         m.Texts("accessKeys"),
		SecurityTokens:     m.Texts("securityTokens"),
		VSwitches:          each(m, "vswitches", network, "id", "vpc"),
		Subnets:            each(m, "subnets", network, "id", "vpc"),
		Instances:          each(m, "instances", instance, "id", "vswitch", "subnet", "state"),
		Interfaces:         each(m, "interfaces", nic, "id", "vswitch", "subnet", "instance"),
		HAVIPs:             each(m, "havips", address, "id", "vswitch", "subnet", "ip", "limit", "holders", "status", "master", "removed", "unheard"),
		HAVIPsPerInstance:  m.Number("havipsPerInstance", 0, 0),
		MastersByInstance:  m.Flag("mastersByInstance"),
		NoHAVIPPrivilege:   m.Flag("noHAVIPPrivilege"),
		NoInterfaceBinding: m.Flag("noInterfaceBinding"),
		line:               m.Line(),
	}
}

// each reads the mappings of a list, which have these keys.
func each[T any](m yamlfile.Mapping, key string, read func(yamlfile.Mapping) T, keys ...string) []T {
	var all []T
	for _, e := range m.Mappings(key, keys...) {
		all = append(all, read(e))
	}
	return all
}

func network(m yamlfile.Mapping) Network {
	return Network{ID: m.Text("id", ""), VPC: m.Text("vpc", ""), line: m.Line()}
}

func instance(m yamlfile.Mapping) Instance {
	return Instance{
		ID: m.Text("id", ""), VSwitch: m.Text("vswitch", ""), Subnet: m.Text("subnet", ""),
		State: havip.InstanceState(m.Text("state", "")), line: m.Line(),
	}
}

func nic(m yamlfile.Mapping) Interface {
	return Interface{
		ID: m.Text("id", ""), VSwitch: m.Text("vswitch", ""), Subnet: m.Text("subnet", ""),
		Instance: m.Text("instance", ""), line: m.Line(),
	}
}

func address(m yamlfile.Mapping) HAVIP {
	return HAVIP{
		ID: m.Text("id", ""), VSwitch: m.Text("vswitch", ""), Subnet: m.Text("subnet", ""),
		IP: m.Text("ip", ""), Limit: m.Number("limit", 0, 0), Holders: m.Words("holders"),
		Status: havip.Status(m.Text("status", "")), Master: m.Text("master", ""),
		Removed: m.Flag("removed"), Unheard: m.Flag("unheard"), line: m.Line(),
	}
}
