package havip_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// rules are the words of the rules that stories are explained with, as the code has
// them: the longest run without a name or a time in it.
func rules(t *testing.T) (all []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(files, "../flow/outbox.go") {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			for _, rule := range told(n) {
				if words := wording(rule); words != "" {
					all = append(all, words)
				}
			}
			return true
		})
	}
	return all
}

// told are the rules in a call of explain or Abandon, and in the returns of what gives
// a rule and an advice.
func told(n ast.Node) (all []ast.Expr) {
	switch n := n.(type) {
	case *ast.CallExpr:
		of, ok := n.Fun.(*ast.SelectorExpr)
		switch {
		case ok && of.Sel.Name == "explain" && len(n.Args) == 2:
			all = append(all, n.Args[0])
		case ok && of.Sel.Name == "Abandon":
			all = append(all, n.Args[2])
		}
	case *ast.FuncDecl:
		r := n.Type.Results
		if r == nil || len(r.List) != 1 || len(r.List[0].Names) != 2 || r.List[0].Names[0].Name != "rule" {
			return nil
		}
		ast.Inspect(n.Body, func(n ast.Node) bool {
			if back, ok := n.(*ast.ReturnStmt); ok && len(back.Results) == 2 {
				all = append(all, back.Results[0])
			}
			return true
		})
	}
	return all
}

var verb = regexp.MustCompile(`%[a-z]`)

func wording(rule ast.Expr) (longest string) {
	ast.Inspect(rule, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			text, _ := strconv.Unquote(l.Value)
			for _, words := range verb.Split(text, -1) {
				if words = strings.Trim(words, " ,:"); len(words) > len(longest) {
					longest = words
				}
			}
		}
		return true
	})
	return longest
}

// docs/rules.md says what each rule means, and has none that the code has not.
func TestEachRuleIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| \*(.*?)\* \|`).FindAllStringSubmatch(string(text), -1)
	all := rules(t)
	if len(all) < 20 {
		t.Fatalf("the code has %d rules: %q", len(all), all)
	}
	for _, rule := range all {
		found := false
		for _, row := range rows {
			found = found || strings.Contains(row[1], rule)
		}
		if !found {
			t.Errorf("docs/rules.md has no %q", rule)
		}
	}
	for _, row := range rows {
		found := false
		for _, rule := range all {
			found = found || strings.Contains(row[1], rule)
		}
		if !found {
			t.Errorf("docs/rules.md has %q, which nobody says", row[1])
		}
	}
}
