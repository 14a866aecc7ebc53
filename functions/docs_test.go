package functions_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// The documents are held to what they speak of.

const top = ".."

// documents are our pages, by their paths from the top.
func documents(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	walk(t, func(path string) {
		if filepath.Ext(path) == ".md" {
			pages[path] = page(t, path)
		}
	})
	if len(pages) < 20 {
		t.Fatalf("%d documents", len(pages))
	}
	return pages
}

// walk visits our files, those of others and what tests read apart.
func walk(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != top || d.Name() == "node_modules"):
			return filepath.SkipDir
		case !d.IsDir():
			path, err = filepath.Rel(top, path)
			visit(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func page(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	heading = regexp.MustCompile(`(?m)^#+ .*$`)
	link    = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
)

// prose is a page without what is quoted.
func prose(text string) string { return fence.ReplaceAllString(text, "") }

// anchors are where a page can be entered, as GitHub makes them of its headings.
func anchors(text string) map[string]bool {
	all := map[string]bool{"": true}
	for _, title := range heading.FindAllString(prose(text), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimLeft(title, "# "))
		if all[name] {
			name += "-1" // the second of that name; nobody has three
		}
		all[name] = true
	}
	return all
}

// Each link leads to a file of ours, and to a heading of it; and from the README every
// page can be reached.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	pages := documents(t)
	to := map[string][]string{}
	for from, text := range pages {
		for _, l := range link.FindAllStringSubmatch(prose(text), -1) {
			if strings.Contains(l[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(l[1], "#")
			path := filepath.Join(filepath.Dir(from), file)
			if file == "" {
				path = from
			}
			if _, err := os.Stat(filepath.Join(top, path)); err != nil || strings.HasPrefix(path, "..") {
				t.Errorf("%s leads to %s, which is not there", from, l[1])
			}
			if anchor != "" && !anchors(pages[path])[anchor] {
				t.Errorf("%s leads to %s, which has no such heading", from, l[1])
			}
			to[from] = append(to[from], path, filepath.Join(path, "README.md"))
		}
	}
	reached := []string{"README.md"}
	for i := 0; i < len(reached); i++ {
		for _, next := range to[reached[i]] {
			if _, ours := pages[next]; ours && !slices.Contains(reached, next) {
				reached = append(reached, next)
			}
		}
	}
	for path := range pages {
		if !slices.Contains(reached, path) && !strings.Contains(path, "testdata") {
			t.Errorf("nothing leads from the README to %s", path)
		}
	}
}

// The README is two screens, and leads to the decisions and by four files to the call.
func TestTheREADMEIsShort(t *testing.T) {
	readme := page(t, "README.md")
	if lines := strings.Count(readme, "\n"); lines > 120 {
		t.Errorf("%d lines; 120 are enough", lines)
	}
	_, decisions, found := strings.Cut(readme, "\n## Decisions\n")
	if !found || !strings.Contains(decisions, "(docs/decisions.md)") {
		t.Error("no Decisions, which lead to docs/decisions.md")
	}
	_, journey, _ := strings.Cut(readme, "\n## The journey\n")
	journey, _, _ = strings.Cut(journey, "\n## ")
	var files []string
	for _, step := range regexp.MustCompile(`(?m)^[0-9]\. \[([^\]]+)\]`).FindAllStringSubmatch(journey, -1) {
		files = append(files, step[1])
	}
	if want := []string{"shared/flow/flow.go", "shared/havip/keeper.go", "shared/havip/decide.go", "shared/havip/step.go"}; !slices.Equal(files, want) {
		t.Errorf("the journey is %q", files)
	}
}

// A page in two languages has the same parts, commands and outputs, in the same order.
func TestBothLanguagesSayTheSame(t *testing.T) {
	quoted := regexp.MustCompile("(?ms)^```.*?^```$|`[^`]+`")
	for _, path := range []string{"README", "docs/runbooks"} {
		english, chinese := page(t, path+".md"), page(t, path+".zh-CN.md")
		parts := func(text string) (levels []string) {
			for _, h := range heading.FindAllString(prose(text), -1) {
				level, _, _ := strings.Cut(h, " ")
				levels = append(levels, level)
			}
			return levels
		}
		if want, got := parts(english), parts(chinese); !slices.Equal(want, got) {
			t.Errorf("%s has the parts %q, and in Chinese %q", path, want, got)
		}
		commands := func(text string) (all []string) {
			for _, q := range quoted.FindAllString(text, -1) {
				all = append(all, strings.Join(strings.Fields(q), " "))
			}
			return all
		}
		want, got := commands(english), commands(chinese)
		for i := range min(len(want), len(got)) {
			if want[i] != got[i] {
				t.Errorf("%s has %s, and in Chinese %s", path, want[i], got[i])
				break
			}
		}
		if len(want) != len(got) {
			t.Errorf("%s has %d commands and the like, and in Chinese %d", path, len(want), len(got))
		}
	}
}
