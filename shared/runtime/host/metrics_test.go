package host_test

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"havip-functions/shared/runtime/host"
	"havip-functions/shared/simulator"
)

// scrape reads the metrics as Prometheus does.
func scrape(t *testing.T, h *host.Host) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+h.Addr+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestMetricsTellHowItStands(t *testing.T) {
	sim := simulated(t)
	err := sim.AddFault(simulator.Fault{Cloud: "alibaba", Operation: "DescribeHaVips", Times: 1, Error: &simulator.FaultError{Status: 400, Code: "Throttling.User"}})
	if err != nil {
		t.Fatal(err)
	}
	h := serve(t, sim, host.Config{Data: t.TempDir()})
	outcome(t, h, first(t, h, "1"))
	ask(t, h, http.MethodPost, "/events", "nonsense")
	text := scrape(t, h)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !bytes.Contains(text, []byte(`outcome="attached"} 1`)) && time.Now().Before(end); text = scrape(t, h) {
		<-tick.C // the outcome leaves a moment after the story has ended
	}
	for _, line := range []string{
		`havip_stories_total{outcome="attached"} 1`,
		`havip_stories_total{outcome="timedout"} 0`,
		`havip_story_attached_seconds_count 1`,
		`havip_cloud_calls_total{code="OK",operation="AssociateHaVip",region="cn-hangzhou"} 1`,
		`havip_cloud_calls_total{code="Throttling.User",operation="DescribeHaVips",region="cn-hangzhou"} 1`,
		`havip_cloud_throttles_total{region="cn-hangzhou"} 1`,
		`havip_holders{havip="orders-db",health="healthy"} 1`,
		`havip_serving{havip="orders-db"} 1`,
		`havip_readable{havip="orders-db"} 1`,
		`havip_open_story_seconds{havip="orders-db"} 0`,
		`havip_brake_closed{havip="orders-db"} 0`,
		`havip_frozen{havip="orders-db"} 0`,
		`havip_dead_letters 1`,
		`havip_roster_refused 0`,
	} {
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(line) + `$`).Match(text) {
			t.Errorf("there is no %s", line)
		}
	}
	if t.Failed() {
		t.Logf("%s", regexp.MustCompile(`(?m)^havip_.*$`).FindAll(text, -1))
	}
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestWhoIsTurnedAwayIsCounted(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir(), Guard: tokens})
	for range 2 {
		ask(t, h, http.MethodGet, "/api/havips", "")
	}
	send(t, request(t, http.MethodGet, "http://"+h.Addr+"/api/havips", "Authorization: Bearer reporters-sesame"))
	_, text := send(t, request(t, http.MethodGet, "http://"+h.Addr+"/metrics", "Authorization: Bearer operators-sesame"))
	for _, line := range []string{`havip_requests_refused_total{scope="stranger"} 2`, `havip_requests_refused_total{scope="reporter"} 1`} {
		if !strings.Contains(text, line) {
			t.Errorf("there is no %s", line)
		}
	}
}
