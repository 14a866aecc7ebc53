package events

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestScannerAgreesWithRFC8259(t *testing.T) {
	good := []string{
		`0`, `-0`, `12`, `-1.50`, `1e5`, `1E+5`, `0.1e-10`, `""`, `"\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t"`, `[]`, `[1,[2]]`,
		`{}`, `{"":1}`, `{"a":{"b":null}}`, ` true `, "[" + strings.Repeat("[],", 2*maxDepth) + "{}]", "[" + strings.Repeat("{},", 2*maxDepth) + "[]]", `false`, "[\n1\t,\r2 ]",
	}
	bad := []string{
		``, ` `, `01`, `-`, `+1`, `1.`, `.5`, `1e`, `1e+`, `0x1`, `NaN`, `tru`, `True`, `nul`, `"`, `"a`, "\"\n\"", `"\x"`, `"\u12g4"`, `"\u12"`,
		`[`, `[1`, `[1,`, `[,]`, `[1 2]`, `[1,]`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{,}`, `{a:1}`, `{1:1}`, `{"a" 1}`, `{"a":}`,
		`1 1`, `{}}`, "\x00", "1\x00", `'a'`, `// x`,
	}
	for _, text := range good {
		s := scanner{buf: []byte(text)}
		if err := s.document(); err != nil || !json.Valid([]byte(text)) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range bad {
		s := scanner{buf: []byte(text)}
		if s.document() == nil || json.Valid([]byte(text)) {
			t.Errorf("%q is JSON", text)
		}
	}
}

func TestScannerIsStricter(t *testing.T) {
	for _, text := range []string{
		`"\ud800"`, `"\udc00"`, `"\udc00\udc00"`, `"\ud800\ud800"`, `"\ud800x"`, `"\ud800\n"`, `"\ude00\ud83d"`, `"\ud83d\u0041"`,
		`{"a":1,"a":1}`, `{"a":1,"\u0061":1}`, `[{"a":{"b":1,"c":2,"b":3}}]`,
		strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	} {
		s := scanner{buf: []byte(text)}
		if s.document() == nil {
			t.Errorf("accepted %s", text)
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("%s proves nothing, it is no JSON", text)
		}
	}
}

// 100,000 members must not take 10,000,000,000 comparisons.
func TestManyMembersAreFast(t *testing.T) {
	payload := []byte(cloudEvent(many(100_000)))
	s := scanner{buf: payload}
	start := time.Now()
	if err := s.document(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
}

func FuzzScanner(f *testing.F) {
	for _, seed := range []string{cloudEvent(""), `{"a":[1e5,"\ud83d\ude00"]}`, `{"a":1,"a":2}`, `"\ud800"`, `[[[]]]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) {
			return
		}
		s := scanner{buf: text}
		err := s.document()
		if err == nil && !json.Valid(text) {
			t.Fatalf("accepted %q", text)
		}
		if err != nil && json.Valid(text) && !stricter(text, err) {
			t.Fatalf("refused %q: %v", text, err)
		}
	})
}

// stricter tells whether our own rules explain why JSON was refused.
func stricter(text []byte, err error) bool {
	switch why := err.Error(); {
	case strings.Contains(why, "nested deeper"), strings.Contains(why, "appears twice"):
		return true
	default:
		return strings.Contains(why, "escape") && bytes.Contains(bytes.ToLower(text), []byte(`\ud`))
	}
}
