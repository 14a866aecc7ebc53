package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"havip-functions/shared/roster"

	"go.yaml.in/yaml/v3"
)

// Each alert fires in a case of its own, and is quiet before: by Prometheus' own
// promtool, over the rules that we ship.
func TestEachAlertFires(t *testing.T) {
	t.Parallel()
	const cases = "../selfhosted/alerts_test.yaml"
	var told struct {
		Tests []struct {
			Name  string
			Rules []struct {
				Alert   string `yaml:"alertname"`
				Expects []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	if err := yaml.Unmarshal([]byte(readText(t, cases)), &told); err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, c := range told.Tests {
		if len(c.Rules) == 2 && c.Rules[0].Alert == c.Name && len(c.Rules[0].Expects) == 0 && c.Rules[1].Alert == c.Name && len(c.Rules[1].Expects) == 1 {
			shown = append(shown, c.Name)
		}
	}
	var alerts []string
	for _, found := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(readText(t, "../selfhosted/alerts.yaml"), -1) {
		alerts = append(alerts, found[1])
	}
	if !slices.Equal(shown, alerts) {
		t.Errorf("cases, first quiet and then firing, are there for %s; the alerts are %s", shown, alerts)
	}
	promtool(t, "test", "rules", cases)
}

// notMetrics are, in this order, what of an expression names none: texts, labels, times,
// the labels of a grouping, functions, and the words of the language.
var notMetrics = regexp.MustCompile(`"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\w+ (?:by|without) *\([^)]*\)|\b(?:on|ignoring) *\([^)]*\)|\w+ *\(|\b(?:and|or|unless|bool)\b|\b[0-9.]+\b`)

// Whatever an alert or the dashboard asks for, a host tells; and promtool understands how.
func TestExpressionsAskForWhatThereIs(t *testing.T) {
	t.Parallel()
	var rules struct {
		Groups []struct {
			Rules []struct{ Expr string }
		}
	}
	if err := yaml.Unmarshal([]byte(readText(t, "../selfhosted/alerts.yaml")), &rules); err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal([]byte(readText(t, "../selfhosted/dashboard.json")), &board); err != nil {
		t.Fatal(err)
	}
	var asked, drawn []string
	for _, r := range rules.Groups[0].Rules {
		asked = append(asked, r.Expr)
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			drawn = append(drawn, strings.NewReplacer("$__rate_interval", "5m", "$havip", ".*").Replace(target.Expr))
		}
	}
	told := toldMetrics(t)
	seen := map[string]bool{"up": true} // Prometheus' own
	for _, expr := range append(asked, drawn...) {
		for _, name := range regexp.MustCompile(`[a-z]\w+`).FindAllString(notMetrics.ReplaceAllString(expr, " "), -1) {
			if !seen[name] && !strings.Contains(told, "\n"+name+"{") && !strings.Contains(told, "\n"+name+" ") {
				t.Errorf("%s asks for %s, which the host does not tell", expr, name)
			}
			seen[name] = true
		}
	}
	for _, name := range regexp.MustCompile(`(?m)^# TYPE (havip_\w+) `).FindAllStringSubmatch(told, -1) {
		if !seen[name[1]] && !seen[name[1]+"_bucket"] {
			t.Errorf("nobody looks at %s", name[1])
		}
	}
	understood := "groups: [{name: drawn, rules: ["
	for i, expr := range drawn {
		understood += fmt.Sprintf("{record: drawn:%d, expr: %q},", i, expr)
	}
	promtool(t, "check", "rules", file(t, "drawn.yaml", understood+"]}]"))
}

// toldMetrics are those of a host after it has met what it counts.
func toldMetrics(t *testing.T) string {
	t.Helper()
	c := simulate(t, "--associate-time", "50ms")
	probed := strings.Replace(string(roster.Builtin()), "id: havip-bp1orders\n", "id: havip-bp1orders\n    probe: tcp:5432\n", 1)
	d := start(t, append([]string{"HAVIP_PROBE=off"}, c.env...), "serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--roster", file(t, "roster.yaml", probed))
	d.ends(t, d.accept(t, structured("1", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))[0])
	c.control(t, "POST", "/faults", `{"cloud":"alibaba","operation":"DescribeHaVips","times":1,"error":{"status":400,"code":"Throttling.User"}}`)
	d.ends(t, d.accept(t, structured("2", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))[0])
	_, told := d.get(t, "/metrics")
	return told
}

// promtool is Prometheus' own judge of rules.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("promtool is not here; CI has to install prometheus")
		}
		t.Skip("promtool is not here; install prometheus")
	}
	said, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil || !strings.Contains(string(said), "SUCCESS") {
		t.Errorf("%v\n%s", err, said)
	}
}
