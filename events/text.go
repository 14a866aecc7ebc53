package events

import (
	"bytes"
	"encoding/json"
)

// text scans a string and returns it unescaped.
func (s *scanner) text() ([]byte, error) {
	start := s.pos
	escaped, err := s.quoted()
	if err != nil {
		return nil, err
	}
	return unescape(s.buf[start:s.pos], escaped), nil
}

// quoted scans a string and tells whether an escape is in it.
func (s *scanner) quoted() (escaped bool, err error) {
	if !s.take('"') {
		return false, s.unexpected("where a string must stand")
	}
	for ; s.pos < len(s.buf); s.pos++ {
		switch c := s.buf[s.pos]; {
		case c == '"':
			s.pos++
			return escaped, nil
		case c == '\\':
			escaped = true
			if !s.escape() {
				return false, s.unexpected("in a string's escape")
			}
		case c < ' ':
			return false, s.unexpected("in a string; write it as \\u")
		}
	}
	return false, s.unexpected("inside a string")
}

// escape steps to the last byte of the escape that begins here. Half of a
// surrogate pair is refused: readers differ on what it means.
func (s *scanner) escape() bool {
	s.pos++
	if s.peek() != 'u' {
		return s.pos < len(s.buf) && bytes.IndexByte([]byte(`"\/bfnrt`), s.buf[s.pos]) >= 0
	}
	r, ok := s.hex4()
	switch {
	case !ok || r >= 0xDC00 && r < 0xE000:
		return false
	case r < 0xD800 || r >= 0xE000:
		return true
	}
	if !bytes.HasPrefix(s.buf[s.pos+1:], []byte(`\u`)) {
		return false
	}
	s.pos += 2
	r, ok = s.hex4()
	return ok && r >= 0xDC00 && r < 0xE000
}

// hex4 reads the four digits behind the u at pos and steps to the last.
func (s *scanner) hex4() (rune, bool) {
	if len(s.buf)-s.pos < 5 {
		return 0, false
	}
	var r rune
	for _, c := range s.buf[s.pos+1 : s.pos+5] {
		d := hexDigit(c)
		if d < 0 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	s.pos += 4
	return r, true
}

// unescape gives the value of a valid JSON string, its quotes included.
func unescape(raw []byte, escaped bool) []byte {
	if !escaped {
		return raw[1 : len(raw)-1]
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil
	}
	return []byte(text)
}

// named shows a member's name in a path: plain if it is, quoted otherwise.
func named(name []byte) string {
	for _, c := range name {
		if !isAlnum(c) && c != '_' && c != '-' {
			return shown(string(name))
		}
	}
	if len(name) == 0 || len(name) > 80 {
		return shown(string(name))
	}
	return string(name)
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	default:
		return -1
	}
}
