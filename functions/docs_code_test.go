package functions_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var variable = regexp.MustCompile(`\bHAVIP_[A-Z][A-Z_]*[A-Z]\b`)

// read are the names of the environment that our code has, as strings of their own.
func read(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	walk(t, func(path string) {
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(top, path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if name, _ := strconv.Unquote(l.Value); variable.FindString(name) == name && name != "" {
					names[name] = true
				}
			}
			return true
		})
	})
	return names
}

// docs/configuration.md has every name that the code reads, and no other; no page has one
// that neither the code nor a script of ours knows.
func TestEveryVariableIsConfigured(t *testing.T) {
	known := read(t)
	if len(known) < 20 {
		t.Fatalf("the code reads %d names", len(known))
	}
	listed := map[string]bool{}
	for _, name := range variable.FindAllString(page(t, "docs/configuration.md"), -1) {
		listed[name] = true
	}
	if want, got := slices.Sorted(maps.Keys(known)), slices.Sorted(maps.Keys(listed)); !slices.Equal(want, got) {
		t.Errorf("the code reads\n%s\nand docs/configuration.md lists\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
	script := page(t, "deploy/selfhosted/keepalived-notify.sh")
	for path, text := range documents(t) {
		for _, name := range variable.FindAllString(text, -1) {
			if !known[name] && !strings.Contains(script, name) {
				t.Errorf("%s speaks of %s, which nobody reads", path, name)
			}
		}
	}
}

// Each promise has a test, where its page says.
func TestEveryPromiseHasItsTest(t *testing.T) {
	rows := regexp.MustCompile(`(?m)^\| [0-9]+ \|.*$`).FindAllString(page(t, "docs/promises.md"), -1)
	if len(rows) != 14 {
		t.Errorf("%d promises", len(rows))
	}
	for _, row := range rows {
		tests := regexp.MustCompile("\\[`(Test\\w+)`\\]\\(\\.\\./([^)]+)\\)").FindAllStringSubmatch(row, -1)
		if len(tests) == 0 {
			t.Errorf("no test: %s", row)
		}
		for _, one := range tests {
			if !strings.Contains(page(t, one[2]), "func "+one[1]+"(") {
				t.Errorf("%s is not in %s", one[1], one[2])
			}
		}
	}
}

// Each room beside the functions stands in the plan of the house.
func TestEveryRoomIsInThePlan(t *testing.T) {
	plan := page(t, "docs/architecture.md")
	for _, p := range house(t) {
		room := p.path()
		if strings.Count(room, "/") == 1 && strings.HasPrefix(room, "shared/") && !strings.Contains(plan, room+" ") {
			t.Errorf("docs/architecture.md has no %s", room)
		}
	}
}
