package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each alert leads to a runbook that there is.
func TestEachAlertLeadsToItsRunbook(t *testing.T) {
	t.Parallel()
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert               string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(readText(t, "../selfhosted/alerts.yaml")), &rules); err != nil {
		t.Fatal(err)
	}
	anchors := map[string]bool{}
	for _, title := range regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(readText(t, "../../docs/runbooks.md"), -1) {
		anchors["docs/runbooks.md#"+strings.ReplaceAll(strings.ToLower(title[1]), " ", "-")] = true
	}
	for _, r := range rules.Groups[0].Rules {
		if !anchors[r.Annotations["runbook_url"]] {
			t.Errorf("%s leads to %q", r.Alert, r.Annotations["runbook_url"])
		}
		if r.Labels["severity"] == "" || r.Annotations["summary"] == "" {
			t.Errorf("%s has no severity or summary", r.Alert)
		}
	}
}

// commanded finds our commands: where they are spoken of, and at the begin of a line of
// a shell or a unit.
var commanded = []*regexp.Regexp{
	regexp.MustCompile("`(?:bin/)?havip ([a-z][^`]*)`"),
	regexp.MustCompile(`(?m)^ *(?:\$ |ExecStart=)?(?:[\w/.]*/)?havip(?:\.new)? ([a-z](?:\\\n|.)*)$`),
}

// shell ends a command where the shell goes on.
var shell = regexp.MustCompile(` +(#|[|>&;]).*| \\\n`)

// Each command in the docs is one of ours, with flags that it has.
func TestEachCommandOfTheDocsIsOne(t *testing.T) {
	t.Parallel()
	pages := []string{"../selfhosted/alerts.yaml", "../selfhosted/havip.service"}
	for _, folders := range []string{"../..", "../../docs", "..", "../*", "../../events", "../../shared/*"} {
		found, err := filepath.Glob(folders + "/*.md")
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	n := 0
	for _, path := range pages {
		for _, form := range commanded {
			for _, found := range form.FindAllStringSubmatch(readText(t, path), -1) {
				n++
				if err := understood(words(shell.ReplaceAllString(found[1], " "))); err != nil {
					t.Errorf("%s: havip %s: %v", path, found[1], err)
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("%d commands in %d pages", n, len(pages))
	}
}

// understood tells whether the command would take these words.
func understood(args []string) error {
	root := newRoot()
	root.InitDefaultCompletionCmd()
	cmd, rest, err := root.Find(args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	switch args := cmd.Flags().Args(); {
	case err == nil && cmd.HasSubCommands() && len(args) > 0:
		err = fmt.Errorf("%s has no %s", cmd.Name(), args[0])
	case err == nil && cmd.HasParent():
		err = cmd.ValidateArgs(args)
	}
	return err
}

// words splits a command as a shell does.
func words(line string) []string {
	var all []string
	for _, w := range regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`).FindAllString(line, -1) {
		all = append(all, strings.Trim(w, `"'`))
	}
	return all
}
