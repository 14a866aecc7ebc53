package yamlfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Text is one word, or any other scalar as it is written.
func (m Mapping) Text(key, fallback string) string {
	n := m.Get(key)
	if n == nil {
		return fallback
	}
	return m.word(n, m.At(key), fallback)
}

func (r *reader) word(n *yaml.Node, path, fallback string) string {
	if n.Kind != yaml.ScalarNode {
		r.Fail(n, path, "must be one word")
		return fallback
	}
	return n.Value
}

// Required is a text that may not be empty; what says how to write it.
func (m Mapping) Required(key, what string) string {
	text := m.Text(key, "")
	if text == "" {
		m.Fail(m.Near(key), m.At(key), "missing; %s", what)
	}
	return text
}

// Choice is one of a few words.
func (m Mapping) Choice(key, fallback string, from ...string) string {
	text := m.Text(key, fallback)
	if !slices.Contains(from, text) {
		m.Fail(m.Near(key), m.At(key), "%s is unknown; it is one of %s", Shown(text), strings.Join(from, ", "))
		return fallback
	}
	return text
}

// Number is a whole number from least up.
func (m Mapping) Number(key string, fallback, least int) int {
	n := m.Get(key)
	if n == nil {
		return fallback
	}
	number, err := strconv.Atoi(n.Value)
	if err != nil || n.Kind != yaml.ScalarNode || number < least {
		m.Fail(n, m.At(key), "must be a whole number from %d up", least)
		return fallback
	}
	return number
}

// Flag is true or false, and false where it is absent.
func (m Mapping) Flag(key string) bool {
	n := m.Get(key)
	if n != nil && n.Value != "true" && n.Value != "false" {
		m.Fail(n, m.At(key), "must be true or false")
	}
	return n != nil && n.Value == "true"
}

// Duration is one that takes some time.
func (m Mapping) Duration(key string, fallback time.Duration) time.Duration {
	return m.span(key, fallback, 1, "write it like 90s, 5m or 24h")
}

// Pause is a duration that may be none.
func (m Mapping) Pause(key string, fallback time.Duration) time.Duration {
	return m.span(key, fallback, 0, "write it like 90s or 5m, or 0s for none")
}

func (m Mapping) span(key string, fallback, least time.Duration, what string) time.Duration {
	n := m.Get(key)
	if n == nil {
		return fallback
	}
	d, err := time.ParseDuration(n.Value)
	if err != nil || n.Kind != yaml.ScalarNode || d < least {
		m.Fail(n, m.At(key), "%s is no duration; %s", Shown(n.Value), what)
		return fallback
	}
	return d
}

// List returns the elements of a sequence, none where the key is absent.
func (m Mapping) List(key string) []*yaml.Node {
	n := m.Get(key)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		m.Fail(n, m.At(key), "must be a list")
		return nil
	}
	return n.Content
}

// Words is a list of texts.
func (m Mapping) Words(key string) []string {
	var words []string
	for i, n := range m.List(key) {
		words = append(words, m.word(n, fmt.Sprintf("%s[%d]", m.At(key), i), ""))
	}
	return words
}

// Texts is a mapping of any keys to texts; nil where it is absent.
func (m Mapping) Texts(key string) map[string]string {
	var texts map[string]string
	m.Pairs(m.Get(key), m.At(key), func(name, value *yaml.Node) {
		if texts == nil {
			texts = map[string]string{}
		}
		texts[name.Value] = m.word(value, Join(m.At(key), name.Value), "")
	})
	return texts
}
