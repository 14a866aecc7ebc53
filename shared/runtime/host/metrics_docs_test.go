package host

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// docs/telemetry.md has each metric of ours as the code describes it, and no other.
func TestEveryMetricIsTold(t *testing.T) {
	described := make(chan *prometheus.Desc, 100)
	m := newMetrics()
	m.registry.Describe(described)
	(&standing{}).Describe(described)
	watched{}.Describe(described)
	close(described)
	form := regexp.MustCompile(`fqName: "(havip_\w+)", help: "([^"]*)", .*variableLabels: \{(.*)\}\}`)
	var rows []string
	for d := range described {
		found := form.FindStringSubmatch(d.String())
		if found == nil {
			continue // of the process itself
		}
		kind := "gauge"
		switch {
		case strings.HasSuffix(found[1], "_seconds") && found[1] != "havip_open_story_seconds":
			kind = "histogram"
		case strings.HasSuffix(found[1], "_total"):
			kind = "counter"
		}
		labels := strings.NewReplacer(",", "`, `").Replace("`" + found[3] + "`")
		rows = append(rows, "| `"+found[1]+"` | "+kind+" | "+strings.ReplaceAll(labels, "``", "")+" | "+found[2]+" |")
	}
	slices.Sort(rows)
	page, err := os.ReadFile("../../../docs/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	told := regexp.MustCompile("(?m)^\\| `havip_.*$").FindAllString(string(page), -1)
	if len(rows) < 15 || !slices.Equal(told, rows) {
		t.Errorf("docs/telemetry.md has not\n%s", strings.Join(rows, "\n"))
	}
}
