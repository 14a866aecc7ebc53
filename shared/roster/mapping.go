package roster

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// mapping is a YAML mapping with known keys. Its methods report what is wrong
// with a value and return the fallback then.
type mapping struct {
	*reader
	node   *yaml.Node
	path   string
	values map[string]*yaml.Node
}

// mapping reports keys that are unknown or appear twice. A missing or empty node
// is a mapping without values.
func (r *reader) mapping(n *yaml.Node, path string, keys ...string) mapping {
	m := mapping{reader: r, node: n, path: path, values: map[string]*yaml.Node{}}
	r.pairs(n, path, func(key, value *yaml.Node) {
		if !slices.Contains(keys, key.Value) {
			r.fail(key, m.at(key.Value), "unknown key; %s", suggest(key.Value, keys))
			return
		}
		m.values[key.Value] = value
	})
	return m
}

// pairs calls each for the keys and values of a mapping, the first of each key.
func (r *reader) pairs(n *yaml.Node, path string, each func(key, value *yaml.Node)) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, path, "must be a mapping of keys to values")
		return
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch at := join(path, key.Value); {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			r.fail(key, path, "a key must be a plain word; write merged values out")
		case value.Kind == yaml.AliasNode:
			r.fail(value, at, "aliases are not read; write the value out")
		case seen[key.Value]:
			r.fail(key, at, "appears twice; keep one of them")
		default:
			seen[key.Value] = true
			each(key, value)
		}
	}
}

func (m mapping) at(key string) string { return join(m.path, key) }

// get returns the value's node; nil where the key is absent or null.
func (m mapping) get(key string) *yaml.Node {
	if n := m.values[key]; !isNull(n) {
		return n
	}
	return nil
}

// near is the line to blame for a key that may be absent.
func (m mapping) near(keys ...string) *yaml.Node {
	for _, key := range keys {
		if n := m.get(key); n != nil {
			return n
		}
	}
	return m.node
}

func (m mapping) text(key, fallback string) string {
	n := m.get(key)
	if n == nil {
		return fallback
	}
	if n.Kind != yaml.ScalarNode {
		m.fail(n, m.at(key), "must be one word")
		return fallback
	}
	return n.Value
}

func (m mapping) required(key, what string) string {
	text := m.text(key, "")
	if text == "" {
		m.fail(m.near(key), m.at(key), "missing; %s", what)
	}
	return text
}

func (m mapping) choice(key, fallback string, from ...string) string {
	text := m.text(key, fallback)
	if !slices.Contains(from, text) {
		m.fail(m.near(key), m.at(key), "%s is unknown; it is one of %s", shown(text), strings.Join(from, ", "))
		return fallback
	}
	return text
}

func (m mapping) count(key string, fallback int) int {
	n := m.get(key)
	if n == nil {
		return fallback
	}
	count, err := strconv.Atoi(n.Value)
	if err != nil || n.Kind != yaml.ScalarNode || count < 1 {
		m.fail(n, m.at(key), "must be a whole number from 1 up")
		return fallback
	}
	return count
}

func (m mapping) duration(key string, fallback time.Duration) time.Duration {
	return m.span(key, fallback, 1, "write it like 90s, 5m or 24h")
}

// pause is a duration that may be none.
func (m mapping) pause(key string, fallback time.Duration) time.Duration {
	return m.span(key, fallback, 0, "write it like 90s or 5m, or 0s for none")
}

func (m mapping) span(key string, fallback, least time.Duration, what string) time.Duration {
	n := m.get(key)
	if n == nil {
		return fallback
	}
	d, err := time.ParseDuration(n.Value)
	if err != nil || n.Kind != yaml.ScalarNode || d < least {
		m.fail(n, m.at(key), "%s is no duration; %s", shown(n.Value), what)
		return fallback
	}
	return d
}

// list returns the elements of a sequence, none where the key is absent.
func (m mapping) list(key string) []*yaml.Node {
	n := m.get(key)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		m.fail(n, m.at(key), "must be a list")
		return nil
	}
	return n.Content
}

func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
