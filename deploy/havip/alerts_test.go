package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

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
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("promtool is not here; CI has to install prometheus")
		}
		t.Skip("promtool is not here; install prometheus")
	}
	said, err := exec.CommandContext(t.Context(), promtool, "test", "rules", cases).CombinedOutput()
	if err != nil || !strings.Contains(string(said), "SUCCESS") {
		t.Errorf("%v\n%s", err, said)
	}
}
