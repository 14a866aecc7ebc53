package events

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// maxDepth bounds the nesting of an event; ours need eight levels.
const maxDepth = 32

// scanner reads JSON more strictly than encoding/json: no member twice, no lone
// surrogate, no deep nesting. The input is valid UTF-8 already.
type scanner struct {
	buf   []byte
	pos   int
	depth int
	names [][]byte // the members of the objects that are open, the innermost last
}

// member is one of an object: its name unescaped, its value as it was written.
type member struct {
	name []byte
	raw  []byte
}

// kind tells what a value is by its first byte: { [ " t f n or a digit.
func (m member) kind() byte { return m.raw[0] }

// fitsLog tells whether a text has no control characters. Most have no letter
// beyond ASCII and no escape, and are not copied to find out.
func (m member) fitsLog() bool {
	for _, c := range m.raw {
		if c == '\\' || c >= 0x7F {
			return !hasControl(string(unescape(m.raw, true)))
		}
	}
	return true // unescaped ones are no JSON
}

// document scans the whole input as one value, without bytes behind it.
func (s *scanner) document() error {
	if err := s.value(); err != nil {
		return err
	}
	return s.end()
}

func (s *scanner) end() error {
	if s.space(); s.pos < len(s.buf) {
		return s.unexpected("after the end of the event")
	}
	return nil
}

func (s *scanner) value() error {
	switch s.space(); s.peek() {
	case '{':
		return s.object(nil)
	case '[':
		return s.array(func(int) error { return s.value() })
	case '"':
		_, err := s.quoted()
		return err
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

// object scans an object and appends its members to into, unless that is nil.
func (s *scanner) object(into *[]member) error {
	if err := s.enter('{'); err != nil {
		return err
	}
	if s.names == nil {
		s.names = make([][]byte, 0, 24) // of most events
	}
	first := len(s.names)
	for s.space(); s.peek() != '}'; s.space() {
		if len(s.names) > first && !s.take(',') {
			return s.unexpected("where , or } must follow")
		}
		m, err := s.member()
		if err != nil {
			return err
		}
		s.names = append(s.names, m.name)
		if into != nil {
			*into = append(*into, m)
		}
	}
	s.pos++
	s.depth--
	twice := duplicate(s.names[first:])
	s.names = s.names[:first]
	if twice != nil {
		return invalid(named(twice), "appears twice in its object; send it once")
	}
	return nil
}

func (s *scanner) member() (member, error) {
	s.space()
	name, err := s.text()
	if err != nil {
		return member{}, err
	}
	if s.space(); !s.take(':') {
		return member{}, s.unexpected("where : must follow")
	}
	s.space()
	start := s.pos
	if err := s.value(); err != nil {
		return member{}, within(named(name), err)
	}
	return member{name, s.buf[start:s.pos]}, nil
}

// array scans an array; each scans the element with that index.
func (s *scanner) array(each func(int) error) error {
	if err := s.enter('['); err != nil {
		return err
	}
	n := 0
	for s.space(); s.peek() != ']'; s.space() {
		if n > 0 && !s.take(',') {
			return s.unexpected("where , or ] must follow")
		}
		if err := each(n); err != nil {
			return err
		}
		n++
	}
	s.pos++
	s.depth--
	return nil
}

func (s *scanner) enter(bracket byte) error {
	if s.space(); !s.take(bracket) {
		return s.unexpected("where " + string(bracket) + " must stand")
	}
	if s.depth++; s.depth > maxDepth {
		return invalid("", "nested deeper than %d levels; flatten it", maxDepth)
	}
	return nil
}

func (s *scanner) literal(word string) error {
	if !bytes.HasPrefix(s.buf[s.pos:], []byte(word)) {
		return s.unexpected("where a value must stand")
	}
	s.pos += len(word)
	return nil
}

// number scans what RFC 8259 calls a number.
func (s *scanner) number() error {
	s.take('-')
	ok := s.take('0') || s.digits()
	if ok && s.take('.') {
		ok = s.digits()
	}
	if ok && (s.take('e') || s.take('E')) {
		_ = s.take('+') || s.take('-')
		ok = s.digits()
	}
	if !ok {
		return s.unexpected("where a value must stand")
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.pos
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.pos++
	}
	return s.pos > start
}

func (s *scanner) space() {
	for s.pos < len(s.buf) {
		switch s.buf[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return
		}
	}
}

// peek is the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	if s.pos >= len(s.buf) {
		return 0
	}
	return s.buf[s.pos]
}

func (s *scanner) take(c byte) bool {
	if s.peek() != c || s.pos >= len(s.buf) {
		return false
	}
	s.pos++
	return true
}

func (s *scanner) unexpected(where string) error {
	if s.pos >= len(s.buf) {
		return invalid("", "not JSON: it ends %s (byte %d)", where, s.pos)
	}
	r, _ := utf8.DecodeRune(s.buf[s.pos:])
	return invalid("", "not JSON: %s at byte %d, %s", shown(string(r)), s.pos, where)
}

// duplicate finds a name that appears twice. Most objects have a handful of
// members, a hostile one may have 100,000: only a long list is worth sorting.
func duplicate(names [][]byte) []byte {
	const handful = 16
	if len(names) > handful {
		slices.SortFunc(names, bytes.Compare)
		for i := 1; i < len(names); i++ {
			if bytes.Equal(names[i-1], names[i]) {
				return names[i]
			}
		}
		return nil
	}
	for i := 1; i < len(names); i++ {
		for _, earlier := range names[:i] {
			if bytes.Equal(earlier, names[i]) {
				return names[i]
			}
		}
	}
	return nil
}
