package roster

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"havip-functions/shared/havip"
	"havip-functions/shared/yamlfile"
)

// maxMembers bounds what is remembered of one HAVIP: its record has a mark for
// each member, and must stay small.
const maxMembers = 16

// members reads who may hold a HAVIP, in order of preference.
func (m mapping) members(interfaces bool) []havip.Member {
	nodes := m.List("members")
	if len(nodes) == 0 {
		m.Fail(m.Near("members"), m.At("members"), "missing or empty; name the instances that may hold it")
	}
	var members []havip.Member
	for i, node := range nodes {
		path := fmt.Sprintf("%s[%d]", m.At("members"), i)
		if i == maxMembers {
			m.Fail(node, path, "a HAVIP has at most %d members; drop %d", maxMembers, len(nodes)-maxMembers)
			break
		}
		member, ok := m.member(node, path, interfaces)
		if !ok {
			continue
		}
		for _, earlier := range members {
			if earlier.ID == member.ID || earlier.Instance == member.Instance {
				m.Fail(node, path, "%s is a member already; name each instance once", yamlfile.Shown(member.ID))
			}
		}
		members = append(members, member)
	}
	return members
}

// member reads i-db1, or {id: eni-1, instance: i-db1}. An interface without its
// instance is named by its own id in events.
func (m mapping) member(n *yaml.Node, path string, interfaces bool) (havip.Member, bool) {
	var id, of string
	switch n.Kind {
	case yaml.ScalarNode:
		id = n.Value
	case yaml.MappingNode:
		e := m.Read(n, path, "id", "instance")
		id, of = e.Required("id", "name the instance or interface"), e.Text("instance", "")
		if id == "" {
			return havip.Member{}, false
		}
	default:
		m.Fail(n, path, "must be an id, or {id: eni-1, instance: i-1}")
		return havip.Member{}, false
	}
	switch {
	case interfaces && !havip.IsInterface(id):
		m.Fail(n, path, "%s is no interface; write it like eni-1, or change instanceType", yamlfile.Shown(id))
	case !interfaces && !havip.IsInstance(id):
		m.Fail(n, path, "%s is no instance; write it like i-db1, or change instanceType", yamlfile.Shown(id))
	case of != "" && !havip.IsInstance(of):
		m.Fail(n, path, "%s is no instance; write it like i-db1", yamlfile.Shown(of))
	case !interfaces && of != "" && of != id:
		m.Fail(n, path, "%s is an instance and can't belong to %s; drop instance", yamlfile.Shown(id), yamlfile.Shown(of))
	default:
		if of == "" {
			of = id
		}
		return havip.Member{ID: id, Instance: of}, true
	}
	return havip.Member{}, false
}
