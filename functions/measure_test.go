package functions_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// measures are what can be counted of the code. make measure prints them.
type measures struct {
	packages             map[string]bool
	files, functions     []int // lines of each
	code, tests          int   // lines
	widest               string
	methods              int // of the widest interface
	undocumented, copies []string
	windows              map[string]string // where a run of tokens was seen first
}

// window is how many tokens in a row make a copy: about a dozen lines.
const window = 100

// Everything that is exported says what it is, no run of a dozen lines stands twice,
// and no interface is too wide to have by heart.
func TestMeasures(t *testing.T) {
	m := measures{packages: map[string]bool{}, windows: map[string]string{}}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != ".." || d.Name() == "node_modules" || d.Name() == "testdata"):
			return filepath.SkipDir
		case filepath.Ext(path) == ".go":
			return m.read(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d packages, %d lines of code, %d of tests (%.2f a line of code)\nfiles      %s lines\nfunctions  %s lines\nthe widest interface is %s, %d methods\n%d exports without a doc, %d runs of %d tokens that stand twice",
		len(m.packages), m.code, m.tests, float64(m.tests)/float64(m.code), spread(m.files), spread(m.functions),
		m.widest, m.methods, len(m.undocumented), len(m.copies), window)
	for _, wrong := range slices.Concat(m.undocumented, m.copies) {
		t.Error(wrong)
	}
	if most := 12; m.methods > most {
		t.Errorf("%s has %d methods; nobody has more than %d by heart", m.widest, m.methods, most)
	}
}

func spread(of []int) string {
	slices.Sort(of)
	return fmt.Sprintf("median %d, p90 %d, max %d", of[len(of)/2], of[len(of)*9/10], of[len(of)-1])
}

func (m *measures) read(path string) error {
	text, err := os.ReadFile(path) //nolint:gosec // our own code
	if err != nil {
		return err
	}
	lines := strings.Count(string(text), "\n")
	if strings.HasSuffix(path, "_test.go") {
		m.tests += lines
		return nil
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.ParseComments)
	if err != nil {
		return err
	}
	m.packages[filepath.Dir(path)] = true
	m.code += lines
	m.files = append(m.files, lines)
	for _, d := range file.Decls {
		m.declared(set, d)
	}
	m.copied(path, text)
	return nil
}

func (m *measures) declared(set *token.FileSet, d ast.Decl) {
	missing := func(name *ast.Ident, doc ...*ast.CommentGroup) {
		if name.IsExported() && !slices.ContainsFunc(doc, func(c *ast.CommentGroup) bool { return c != nil }) {
			m.undocumented = append(m.undocumented, fmt.Sprintf("%s: %s has no doc", set.Position(name.Pos()), name.Name))
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		m.functions = append(m.functions, set.Position(d.End()).Line-set.Position(d.Pos()).Line+1)
		if d.Recv == nil || exportedReceiver(d.Recv) {
			missing(d.Name, d.Doc)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				missing(s.Name, d.Doc, s.Doc)
				if i, ok := s.Type.(*ast.InterfaceType); ok && i.Methods.NumFields() > m.methods {
					m.methods, m.widest = i.Methods.NumFields(), s.Name.Name
				}
			case *ast.ValueSpec:
				missing(s.Names[0], d.Doc, s.Doc, s.Comment)
			}
		}
	}
}

func exportedReceiver(r *ast.FieldList) bool {
	of := r.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	name, ok := of.(*ast.Ident)
	return ok && name.IsExported()
}

// copied finds runs of tokens that were seen before; names and values count.
func (m *measures) copied(path string, text []byte) {
	set := token.NewFileSet()
	file := set.AddFile(path, -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, 0)
	var run []string
	found := 0
	for n := 0; ; n++ {
		pos, what, value := s.Scan()
		if what == token.EOF {
			return
		}
		run = append(run, what.String()+value)
		if len(run) < window {
			continue
		}
		key := strings.Join(run, " ")
		at := fmt.Sprintf("%s:%d", path, set.Position(pos).Line)
		if first, twice := m.windows[key]; !twice {
			m.windows[key] = at
		} else if n > found {
			m.copies = append(m.copies, fmt.Sprintf("the lines before %s stand before %s too", at, first))
			found = n + window
		}
		run = run[1:]
	}
}
