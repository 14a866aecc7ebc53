package simulator

import "go.yaml.in/yaml/v3"

// locate notes the line of each thing in a world, which the decoder does not
// tell, so that errors can name it.
func (w *World) locate(document *yaml.Node) {
	if len(document.Content) == 0 {
		return
	}
	top := document.Content[0]
	w.Alibaba.locate(child(top, "alibaba"))
	w.Baidu.locate(child(top, "baidu"))
}

func (r Realms) locate(n *yaml.Node) {
	nodes := []*yaml.Node{n}
	if n != nil && n.Kind == yaml.SequenceNode {
		nodes = n.Content
	}
	for i := range min(len(r), len(nodes)) {
		r[i].locate(nodes[i])
	}
}

func (r *Realm) locate(n *yaml.Node) {
	r.line = lineOf(n)
	for key, lines := range map[string][]*int{
		"vswitches":  pointers(r.VSwitches, func(t *Network) *int { return &t.line }),
		"subnets":    pointers(r.Subnets, func(t *Network) *int { return &t.line }),
		"instances":  pointers(r.Instances, func(t *Instance) *int { return &t.line }),
		"interfaces": pointers(r.Interfaces, func(t *Interface) *int { return &t.line }),
		"havips":     pointers(r.HAVIPs, func(t *HAVIP) *int { return &t.line }),
	} {
		list := child(n, key)
		for i, line := range lines {
			if list != nil && i < len(list.Content) {
				*line = lineOf(list.Content[i])
			}
		}
	}
}

func pointers[T any](all []T, line func(*T) *int) []*int {
	found := make([]*int, len(all))
	for i := range all {
		found[i] = line(&all[i])
	}
	return found
}

// child finds the value of a key; nil where there is none.
func child(n *yaml.Node, key string) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func lineOf(n *yaml.Node) int {
	if n == nil {
		return 0
	}
	return n.Line
}
