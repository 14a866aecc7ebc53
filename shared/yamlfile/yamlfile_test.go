package yamlfile_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"havip-functions/shared/yamlfile"
)

func Example() {
	file := yamlfile.File{Kind: "menu", Text: []byte("soup: {prize: 3}\nsoup: none\n")}
	menu, err := file.Mapping("soup")
	if err != nil {
		fmt.Println(err)
		return
	}
	soup := menu.Read(menu.Get("soup"), "soup", "price", "of")
	soup.Required("of", "name what is in it")
	fmt.Println(menu.Err())
	// Output:
	// line 2: soup: appears twice; keep one of them
	// line 1: soup.prize: unknown key; did you mean price?
	// line 1: soup.of: missing; name what is in it
}

// read asks for one value of each kind.
func read(text string) (yamlfile.Mapping, string) {
	m, err := yamlfile.File{Kind: "test", Text: []byte(text)}.Mapping("text", "number", "flag", "words", "texts", "all")
	if err != nil {
		return m, err.Error()
	}
	said := strings.TrimSpace(fmt.Sprintln(m.Text("text", "-"), m.Number("number", 7, 0), m.Flag("flag"), m.Words("words"), m.Texts("texts"), len(m.Mappings("all", "a"))))
	if err := m.Err(); err != nil {
		return m, err.Error()
	}
	return m, said
}

func TestValues(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "- 7 false [] map[] 0"},
		{"# nothing", "- 7 false [] map[] 0"},
		{"{text: , number: null, flag: ~, words: , texts: , all: }", "- 7 false [] map[] 0"},
		{`{"text": "a b", "number": 0, "flag": true, "words": ["a", 1], "texts": {"a": "b", "c": 2}, "all": [{}, {"a": 1}]}`, "a b 0 true [a 1] map[a:b c:2] 2"},
		{"text: {}", "line 1: text: must be one word"},
		{"number: -1", "line 1: number: must be a whole number from 0 up"},
		{"number: 1.5", "line 1: number: must be a whole number from 0 up"},
		{"flag: on", "line 1: flag: must be true or false"},
		{"flag: [true]", "line 1: flag: must be true or false"},
		{"words:\n- a\n- [b]", "line 3: words[1]: must be one word"},
		{"words: {a: b}", "line 1: words: must be a list"},
		{"texts:\n  a: b\n  a: c", "line 3: texts.a: appears twice; keep one of them"},
		{"texts: {a: [b]}", "line 1: texts.a: must be one word"},
		{"texts: [a]", "line 1: texts: must be a mapping of keys to values"},
		{"all:\n- {a: 1}\n- {b: 1}", "line 3: all[1].b: unknown key; did you mean a?"},
		{"all: [a]", "line 1: all[0]: must be a mapping of keys to values"},
		{"text: &a b\nflag: *a", "line 2: flag: aliases are not read; write the value out"},
		{"texts: {<<: {a: b}}", "line 1: texts: a key must be a plain word; write merged values out"},
		{"text: &a b\nwords: [*a]", "line 2: words[0]: must be one word"},
		{"\xff", "test: not UTF-8; encode it so"},
		{"text: a\n---\ntext: b", "line 2: more than one document; keep the first only"},
		{"texts: 'a", "test: not YAML: found unexpected end of stream"},
	} {
		if _, got := read(c.text); got != c.want {
			t.Errorf("%q:\ngot  %s\nwant %s", c.text, got, c.want)
		}
	}
}

// TestRude has input that would grow, or nest, beyond what a machine holds.
func TestRude(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'z'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9))
	}
	for name, c := range map[string]struct{ text, want string }{
		"bomb":          {bomb, "unknown key"},
		"its own alias": {"words: &a [*a]", "words[0]: must be one word"},
		"lists":         {"words: " + strings.Repeat("[", 1<<19), "not YAML: exceeded max depth"},
		"mappings":      {"texts: " + strings.Repeat("{a: ", 1<<17), "not YAML: exceeded max depth"},
		"size":          {strings.Repeat(" ", 4<<20+1), "test: larger than 4194304 bytes"},
	} {
		if _, got := read(c.text); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %.200s, want %s", name, got, c.want)
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "menu.yaml")
	if _, err := yamlfile.Load("menu", path); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "menu: open ") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(path, []byte("fish: 1\nmeat: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := yamlfile.Load("menu", path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := file.Mapping("soup", "fish")
	if err != nil || m.Number("fish", 0, 1) != 1 {
		t.Fatal(m, err)
	}
	var problem *yamlfile.Problem
	if err := m.Err(); !errors.As(err, &problem) || err.Error() != path+":2: meat: unknown key; the keys here are soup, fish" {
		t.Errorf("got %v", err)
	}
}

func FuzzMapping(f *testing.F) {
	f.Add("text: a\nnumber: 1\nflag: true\nwords: [a]\ntexts: {a: b}\nall: [{a: 1}]")
	f.Add("words: &a [*a]\n? {a: b}\n: c")
	f.Fuzz(func(t *testing.T, text string) {
		m, said := read(text)
		if m.Node() != nil && m.Err() == nil && m.Line() == 0 {
			t.Errorf("a mapping on no line: %s", said)
		}
		if keys := slices.Collect(maps.Keys(m.Texts("texts"))); len(keys) > len(text) {
			t.Errorf("it grew to %d keys", len(keys))
		}
	})
}
