package events

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// fields reads the members of one JSON object and remembers the first that is
// wrong. A member that is null counts as absent; unknown ones are allowed.
type fields struct {
	path    string // of the object: data
	members []member
	err     error
}

// openObject reads raw, which was scanned before, as the object at path.
func openObject(path string, raw []byte) (*fields, error) {
	f := &fields{path: path, members: make([]member, 0, 8)}
	if len(raw) == 0 || raw[0] != '{' {
		return nil, invalid(path, "must be a JSON object")
	}
	s := scanner{buf: raw}
	if err := s.object(&f.members); err != nil {
		return nil, within(path, err)
	}
	return f, nil
}

func (f *fields) fail(name, format string, args ...any) {
	if f.err == nil {
		f.err = invalid(join(f.path, name), format, args...)
	}
}

func (f *fields) find(name string) (member, bool) {
	for _, m := range f.members {
		if string(m.name) == name {
			return m, m.kind() != 'n'
		}
	}
	return member{}, false
}

func (f *fields) has(name string) bool {
	_, ok := f.find(name)
	return ok
}

// anyText returns a string of any characters; empty where it is absent.
func (f *fields) anyText(name string) string {
	m, ok := f.find(name)
	if !ok {
		return ""
	}
	if m.kind() != '"' {
		f.fail(name, "must be a string")
		return ""
	}
	return string(unescape(m.raw, bytes.IndexByte(m.raw, '\\') >= 0))
}

// text returns a string that is fit for a log.
func (f *fields) text(name string) string {
	text := f.anyText(name)
	if m, _ := f.find(name); !m.fitsLog() {
		f.fail(name, "must not hold control characters")
	}
	return text
}

// required returns a text that may not be absent or empty.
func (f *fields) required(name string) string {
	text := f.text(name)
	if strings.TrimSpace(text) == "" {
		f.fail(name, "missing; it must be a string that is not empty")
	}
	return text
}

// prose returns words for people: a line break in them must not lose the event.
func (f *fields) prose(name string) string {
	return clean(f.anyText(name))
}

// actor returns who asked, for people too.
func (f *fields) actor(name string) string {
	return cut(printable(f.anyText(name)), maxShort)
}

func (f *fields) cloud() string {
	cloud := f.required("cloud")
	if cloud != "alibaba" && cloud != "baidu" {
		f.fail("cloud", "%s is no cloud of ours; send alibaba or baidu", shown(cloud))
	}
	return cloud
}

func (f *fields) flag(name string) bool {
	m, ok := f.find(name)
	if ok && m.kind() != 't' && m.kind() != 'f' {
		f.fail(name, "must be true or false")
	}
	return ok && m.kind() == 't'
}

// number returns a whole number that every JSON reader keeps exact. JSON Schema
// calls 2.0 one too.
func (f *fields) number(name string) int64 {
	m, ok := f.find(name)
	if !ok {
		return 0
	}
	const most = 1<<53 - 1
	n, err := strconv.ParseFloat(string(m.raw), 64)
	if err != nil || n != math.Trunc(n) || math.Abs(n) > most {
		f.fail(name, "must be a whole number within ±%d", most)
		return 0
	}
	return int64(n)
}

// ordinal returns a number from 1 up, which may not be absent.
func (f *fields) ordinal(name string) int64 {
	n := f.number(name)
	if n < 1 || n > 1<<31-1 {
		f.fail(name, "must be a whole number from 1 up")
	}
	return n
}

// moment is a time that we wrote ourselves: no sender's loose one.
func (f *fields) moment(name string) time.Time {
	text := f.text(name)
	if text == "" {
		return time.Time{}
	}
	if problem := over(len(text), maxTime); problem != "" {
		f.fail(name, "%s", problem)
	}
	at, err := time.Parse(time.RFC3339, text)
	strict := len(text) >= len("2006-01-02T15:04:05Z") && text[len("2006-01-02T15")] == ':' && !strings.Contains(text, ",")
	if err != nil || !strict || !writable(at) { // Parse lets T1: and ,5 pass
		f.fail(name, "must be a time as RFC 3339 writes it")
	}
	return at
}

// raw returns a copy of any value, without the spaces between its tokens. As it
// was written it may have so many bytes.
func (f *fields) raw(name string, most int) json.RawMessage {
	m, ok := f.find(name)
	if !ok {
		return nil
	}
	if problem := over(len(m.raw), most); problem != "" {
		f.fail(name, "%s", problem)
		return nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, m.raw); err != nil {
		f.fail(name, "is not JSON")
	}
	return b.Bytes()
}

// clean makes a stranger's words fit for a log and a ledger.
func clean(text string) string { return cut(printable(text), maxProse) }

// printable puts a space for each control character.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// cut shortens a text to so many bytes, and marks it.
func cut(text string, most int) string {
	const mark = "…"
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len(mark)], "") + mark
}

func hasControl(text string) bool {
	return strings.IndexFunc(text, unicode.IsControl) >= 0
}
