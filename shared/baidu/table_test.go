package baidu

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write this cloud's part of docs/errors.md anew")

// TestTable wants every row to say what it means, why, and who says so.
func TestTable(t *testing.T) {
	for code, v := range dialect.Codes {
		if v.Kind == nil || v.Rule == "" || v.Advice == "" || v.Source == "" {
			t.Errorf("%s: %+v", code, v)
		}
	}
}

// The catalogue of errors says what the table does.
func TestCatalogue(t *testing.T) {
	const path, begin, end = "../../docs/errors.md", "<!-- baidu -->\n", "<!-- end of baidu -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	told, after, ended := strings.Cut(rest, end)
	want := dialect.Catalogue()
	switch {
	case !found || !ended:
		t.Fatalf("%s has no part between %q and %q", path, begin, end)
	case *update:
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
	case told != want:
		t.Errorf("%s is out of step; make golden writes it anew", path)
	}
}
