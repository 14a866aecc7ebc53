package main

import (
	"net/http"
	"strings"
	"testing"

	"havip-functions/shared/havip"
	"havip-functions/shared/roster"
)

// TestBrakes: one failover is let through, the next is refused until a person
// lifts the brake, a freeze keeps our hands off, and a recover by hand passes both.
func TestBrakes(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "100ms")
	once := strings.Replace(string(roster.Builtin()), "failovers: 10", "failovers: 1", 1)
	d := c.serve(t, t.TempDir(), file(t, "roster.yaml", strings.Replace(once, "coolDown: 60s", "coolDown: 1s", 1)))
	at := []string{"HAVIP_HOST=" + d.url()}
	fail := func(id, instance string) havip.Outcome {
		c.control(t, http.MethodPut, "/clouds/baidu/instances/"+instance, `{"state":"Stopped"}`)
		s := d.ends(t, d.accept(t, structured(id, "health.failed", "baidu", "bj", instance))[0])
		return *s.Outcome
	}
	says := func(code int, what string, args ...string) {
		t.Helper()
		if got := havipRuns(t, at, args...); got.code != code || !strings.Contains(got.out+got.err, what) {
			t.Errorf("havip %s: %+v, want %d %q", strings.Join(args, " "), got, code, what)
		}
	}
	d.ends(t, d.accept(t, structured("1", "instance.started", "baidu", "bj", "i-syG1"))[0])
	if o := fail("2", "i-syG1"); o != havip.Attached {
		t.Fatalf("the first failover: %s", o)
	}
	if o := fail("3", "i-syG2"); o != havip.Refused {
		t.Errorf("one failover too many: %s", o)
	}
	says(0, "cache attached: i-syG3", "recover", "cache", "--reason", "test", "--wait")
	says(0, "baidu  bj: failovers pass again", "freeze", "--lift")
	says(0, "open everywhere", "freeze", "--lift")

	says(2, "--reason", "freeze", "cache", "--until", "1h")
	says(2, "--until", "freeze", "cache", "--until", "tomorrow", "--reason", "test")
	says(1, "not on the roster", "freeze", "nothing", "--until", "1h", "--reason", "test")
	says(0, "cache: frozen until", "freeze", "cache", "--until", "1h", "--reason", "test")
	c.control(t, http.MethodPut, "/clouds/baidu/instances/i-syG1", `{"state":"Running"}`)
	d.ends(t, d.accept(t, structured("4", "instance.started", "baidu", "bj", "i-syG1"))[0])
	if o := fail("5", "i-syG3"); o != havip.Ignored {
		t.Errorf("frozen: %s", o)
	}
	says(0, "cache attached: i-syG1", "recover", "cache", "--reason", "test", "--wait")
	says(0, "no longer frozen", "freeze", "--all", "--until", "now", "--reason", "test")
}

func TestRedriveFromADestination(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "100ms")
	d := c.serve(t, t.TempDir(), builtinRoster(t))
	event := structured("1", "instance.started", "baidu", "bj", "i-syG1")
	quoted := `"` + strings.ReplaceAll(event, `"`, `\"`) + `"`
	for name, record := range map[string]string{
		"Function Compute": `{"timestamp":1,"requestContext":{"requestId":"r","condition":"RetriesExhausted"},"requestPayload":` + quoted + `}`,
		"Lambda":           `{"version":"1.0","requestPayload":` + event + `}`,
		"SQS":              `{"Messages":[{"MessageId":"m","Body":` + quoted + `}]}`,
	} {
		path := file(t, "record.json", record)
		got := havipRuns(t, []string{"HAVIP_HOST=" + d.url()}, "dead", "redrive", "--from", path)
		if got.code != 0 || !strings.Contains(got.out, "cache would Attach i-syG1") || !strings.Contains(got.err, "nothing was done") {
			t.Errorf("%s, dry: %+v", name, got)
		}
	}
	got := havipRuns(t, []string{"HAVIP_HOST=" + d.url()}, "dead", "redrive", "--reason", "test", "--from",
		file(t, "record.json", `{"requestPayload":`+quoted+`}`))
	if got.code != 0 || !strings.Contains(got.out, "1  accepted  stories ") {
		t.Errorf("%+v", got)
	}
}
