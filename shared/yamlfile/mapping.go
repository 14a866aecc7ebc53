package yamlfile

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Mapping is a YAML mapping with known keys. Its methods report what is wrong
// with a value and return the fallback then.
type Mapping struct {
	*reader
	node   *yaml.Node
	path   string
	values map[string]*yaml.Node
}

// Read reads a value as a mapping, and reports keys that are unknown or appear
// twice. A missing or empty node is a mapping without values.
func (m Mapping) Read(n *yaml.Node, path string, keys ...string) Mapping {
	return m.mapping(n, path, keys)
}

func (r *reader) mapping(n *yaml.Node, path string, keys []string) Mapping {
	m := Mapping{reader: r, node: n, path: path, values: map[string]*yaml.Node{}}
	r.Pairs(n, path, func(key, value *yaml.Node) {
		if !slices.Contains(keys, key.Value) {
			r.Fail(key, m.At(key.Value), "unknown key; %s", suggest(key.Value, keys))
			return
		}
		m.values[key.Value] = value
	})
	return m
}

// Mappings reads a list of mappings.
func (m Mapping) Mappings(key string, keys ...string) []Mapping {
	var all []Mapping
	for i, n := range m.List(key) {
		all = append(all, m.mapping(n, fmt.Sprintf("%s[%d]", m.At(key), i), keys))
	}
	return all
}

// Pairs calls each for the keys and values of a mapping, the first of each key.
func (r *reader) Pairs(n *yaml.Node, path string, each func(key, value *yaml.Node)) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.Fail(n, path, "must be a mapping of keys to values")
		return
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch at := Join(path, key.Value); {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			r.Fail(key, path, "a key must be a plain word; write merged values out")
		case value.Kind == yaml.AliasNode:
			r.Fail(value, at, "aliases are not read; write the value out")
		case seen[key.Value]:
			r.Fail(key, at, "appears twice; keep one of them")
		default:
			seen[key.Value] = true
			each(key, value)
		}
	}
}

// Node is the mapping itself, to blame for what it lacks.
func (m Mapping) Node() *yaml.Node { return m.node }

// Path is where the mapping stands: havips[0].
func (m Mapping) Path() string { return m.path }

// Line is where the mapping begins; 0 where there is none.
func (m Mapping) Line() int {
	if m.node == nil {
		return 0
	}
	return m.node.Line
}

// At is the path of a key.
func (m Mapping) At(key string) string { return Join(m.path, key) }

// Join is the path of a key below another path.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Get returns the value's node; nil where the key is absent or null.
func (m Mapping) Get(key string) *yaml.Node {
	if n := m.values[key]; !isNull(n) {
		return n
	}
	return nil
}

// Near is the line to blame for a key that may be absent.
func (m Mapping) Near(keys ...string) *yaml.Node {
	for _, key := range keys {
		if n := m.Get(key); n != nil {
			return n
		}
	}
	return m.node
}

func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}
