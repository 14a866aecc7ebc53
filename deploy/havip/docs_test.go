package main

import (
	"os"
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

// Each alert asks for metrics that there are, and leads to a runbook that there is.
func TestEachAlertLeadsToItsRunbook(t *testing.T) {
	t.Parallel()
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr         string
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
	c := simulate(t, "--associate-time", "50ms")
	d := c.serve(t, t.TempDir(), builtinRoster(t))
	d.ends(t, d.accept(t, structured("1", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))[0])
	c.control(t, "POST", "/faults", `{"cloud":"alibaba","operation":"DescribeHaVips","times":1,"error":{"status":400,"code":"Throttling.User"}}`)
	d.ends(t, d.accept(t, structured("2", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))[0])
	_, metrics := d.get(t, "/metrics")
	for _, r := range rules.Groups[0].Rules {
		if !anchors[r.Annotations["runbook_url"]] {
			t.Errorf("%s leads to %q", r.Alert, r.Annotations["runbook_url"])
		}
		if r.Labels["severity"] == "" || r.Annotations["summary"] == "" {
			t.Errorf("%s has no severity or summary", r.Alert)
		}
		for _, name := range regexp.MustCompile(`havip_\w+`).FindAllString(r.Expr, -1) {
			if !strings.Contains(metrics, "\n"+name+"{") && !strings.Contains(metrics, "\n"+name+" ") {
				t.Errorf("%s asks for %s, which the host does not tell", r.Alert, name)
			}
		}
	}
}

// Each command in the docs is one of ours, with flags that it has.
func TestEachCommandOfTheDocsIsOne(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"../../docs/runbooks.md", "../../README.md", "../selfhosted/alerts.yaml"} {
		for _, span := range regexp.MustCompile("`(?:bin/)?havip ([a-z][^`]*)`").FindAllStringSubmatch(readText(t, path), -1) {
			args := words(span[1])
			root := newRoot()
			root.InitDefaultCompletionCmd()
			cmd, rest, err := root.Find(args)
			if err == nil {
				err = cmd.ParseFlags(rest)
			}
			if err == nil && cmd.HasParent() {
				err = cmd.ValidateArgs(cmd.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: havip %s: %v", path, span[1], err)
			}
		}
	}
}

// words splits a command as a shell does.
func words(line string) []string {
	var all []string
	for _, w := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(strings.ReplaceAll(line, "\n", " "), -1) {
		all = append(all, strings.Trim(w, `"`))
	}
	return all
}
