package roster

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"havip-functions/shared/havip"
)

// maxMembers bounds what is remembered of one HAVIP: its record has a mark for
// each member, and must stay small.
const maxMembers = 16

// members reads who may hold a HAVIP, in order of preference.
func (m mapping) members(interfaces bool) []havip.Member {
	nodes := m.list("members")
	if len(nodes) == 0 {
		m.fail(m.near("members"), m.at("members"), "missing or empty; name the instances that may hold it")
	}
	var members []havip.Member
	for i, node := range nodes {
		path := fmt.Sprintf("%s[%d]", m.at("members"), i)
		if i == maxMembers {
			m.fail(node, path, "a HAVIP has at most %d members; drop %d", maxMembers, len(nodes)-maxMembers)
			break
		}
		member, ok := m.member(node, path, interfaces)
		if !ok {
			continue
		}
		for _, earlier := range members {
			if earlier.ID == member.ID || earlier.Instance == member.Instance {
				m.fail(node, path, "%s is a member already; name each instance once", shown(member.ID))
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
		e := m.mapping(n, path, "id", "instance")
		id, of = e.required("id", "name the instance or interface"), e.text("instance", "")
		if id == "" {
			return havip.Member{}, false
		}
	default:
		m.fail(n, path, "must be an id, or {id: eni-1, instance: i-1}")
		return havip.Member{}, false
	}
	switch {
	case interfaces && !eni.MatchString(id):
		m.fail(n, path, "%s is no interface; write it like eni-1, or change instanceType", shown(id))
	case !interfaces && !instance.MatchString(id):
		m.fail(n, path, "%s is no instance; write it like i-db1, or change instanceType", shown(id))
	case of != "" && !instance.MatchString(of):
		m.fail(n, path, "%s is no instance; write it like i-db1", shown(of))
	case !interfaces && of != "" && of != id:
		m.fail(n, path, "%s is an instance and can't belong to %s; drop instance", shown(id), shown(of))
	default:
		if of == "" {
			of = id
		}
		return havip.Member{ID: id, Instance: of}, true
	}
	return havip.Member{}, false
}
