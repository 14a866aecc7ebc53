package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/licensecheck"
)

// allowed are the licences of what our programs are linked with, which ask for no more
// than to be told: https://www.apache.org/legal/resolved.html#category-a
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0"}

// Each module that a program of ours is linked with has a licence, and one of those.
func TestLicences(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}", "../havip", "../bootstrap")
	list.Env = append(os.Environ(), "GOOS=linux")
	text, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	slices.Sort(lines)
	modules := slices.Compact(lines)
	if len(modules) < 30 {
		t.Fatalf("go list names %d modules", len(modules))
	}
	for _, line := range modules {
		path, folder, _ := strings.Cut(line, " ")
		if path == "" {
			continue
		}
		found := licencesIn(t, folder)
		if len(found) == 0 || slices.ContainsFunc(found, func(id string) bool { return !slices.Contains(allowed, id) }) {
			t.Errorf("%s has the licences %q; allowed are %q", path, found, allowed)
		}
	}
}

// licencesIn are those that the files of a module are by, as pkg.go.dev tells them.
func licencesIn(t *testing.T, folder string) (ids []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.ToUpper(filepath.Base(file))
		if !strings.HasPrefix(name, "LICEN") && !strings.HasPrefix(name, "COPYING") {
			continue
		}
		for _, match := range licensecheck.Scan(read(t, file)).Match {
			if !match.IsURL {
				ids = append(ids, match.ID)
			}
		}
	}
	return ids
}
