package main

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"havip-functions/shared/havip"
	"havip-functions/shared/roster"
)

func builtinRoster(t testing.TB) string { return file(t, "roster.yaml", string(roster.Builtin())) }

func TestOneDayOfAnOperator(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "200ms")
	rosterFile := builtinRoster(t)
	d := c.serve(t, t.TempDir(), rosterFile)
	at := append(c.env, "HAVIP_HOST="+d.url())
	for _, step := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"send", "instance.started", "--cloud", "alibaba", "--region", "cn-hangzhou", "--instance", "i-db1", "--wait"},
			0, "orders-db attached: i-db1 holds it; holders i-db1; i-db1 serves"},
		{[]string{"status", "orders-db"}, 0, "InUse   1/1   i-db1 healthy  i-db1    attached"},
		{[]string{"recover", "orders-db", "--instance", "i-db2", "--reason", "test", "--dry-run"}, 0, "orders-db would Attach i-db2"},
		{[]string{"recover", "orders-db", "--instance", "i-db2", "--reason", "test", "--wait"},
			0, "orders-db attached: i-db2 holds it; holders i-db1, i-db2; i-db1 serves"},
		{[]string{"status"}, 1, "2/1   i-db1 healthy  i-db1"}, // attached is not serving; nobody holds the other one
		{[]string{"recover", "havip-bp1orders", "--release", "i-db1", "--force", "--yes", "--reason", "test", "--wait"},
			0, "orders-db attached: i-db2 holds it; holders i-db2; i-db2 serves"},
		{[]string{"send", "havip.instance.started", "--cloud", "alibaba", "--region", "cn-hangzhou", "--instance", "i-db2", "--wait"},
			0, "orders-db unchanged: held by i-db2; i-db2 serves"},
	} {
		got := havipRuns(t, at, step.args...)
		if got.code != step.code || !strings.Contains(got.out, step.says) {
			t.Fatalf("havip %s: %d\n%s%s\nwant %d %q", strings.Join(step.args, " "), got.code, got.out, got.err, step.code, step.says)
		}
	}
	d.stop(t)
	got := havipRuns(t, at, "recover", "cache", "--reason", "the host is down", "--wait")
	if got.code != exitNoServer || !strings.Contains(got.err, "no host at") {
		t.Errorf("without a host: %+v", got)
	}
	got = havipRuns(t, at, "recover", "cache", "--reason", "the host is down", "--direct", "--roster", rosterFile)
	if got.code != 0 || !strings.Contains(got.out, "cache attached: i-syG1 holds it") {
		t.Errorf("directly: %+v", got)
	}
	got = havipRuns(t, at, "status", "--direct", "--roster", rosterFile)
	if got.code != 0 || !strings.Contains(got.out, "i-syG1 healthy") {
		t.Errorf("status, directly: %+v", got)
	}
}

func TestBothModesOfCloudEvents(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "100ms")
	d := c.serve(t, t.TempDir(), builtinRoster(t))
	structured := d.accept(t, structured("1", "instance.started", "baidu", "bj", "i-syG2"))
	if s := d.ends(t, structured[0]); *s.Outcome != havip.Attached || s.Instance != "i-syG2" {
		t.Errorf("structured: %+v", s)
	}
	status, text := d.post(t, map[string]string{
		"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "2", "ce-source": "test", "ce-type": "havip.instance.started",
	}, `{"cloud":"alibaba","region":"cn-hangzhou","instance":"i-db3"}`)
	if status != http.StatusAccepted {
		t.Fatalf("binary: %d %s", status, text)
	}
	c.called(t, "AssociateHaVip")
}

func TestKilledHostNeverAttachesTwice(t *testing.T) {
	t.Parallel()
	rosterFile := builtinRoster(t)
	for run := range 20 {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			t.Parallel()
			c := simulate(t, "--associate-time", "300ms")
			data := t.TempDir()
			d := c.serve(t, data, rosterFile)
			story := d.accept(t, structured("1", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))[0]
			c.called(t, "AssociateHaVip")
			d.kill()
			d = c.serve(t, data, rosterFile)
			if s := d.ends(t, story); *s.Outcome != havip.Attached {
				t.Errorf("%+v", s)
			}
			if total, effects := c.calls(t, "AssociateHaVip"); total != 1 || effects != 1 {
				t.Errorf("%d calls, %d with effect", total, effects)
			}
		})
	}
}

func TestTheSameEventAttachesOnce(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "300ms")
	data, rosterFile := t.TempDir(), builtinRoster(t)
	d := c.serve(t, data, rosterFile)
	stories := make([]string, 100)
	together(100, func(i int) {
		stories[i] = d.tell(t, structured("same", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))
	})
	for _, s := range stories {
		if s != stories[0] {
			t.Fatalf("a duplicate has story %s, not the first one's %s", s, stories[0])
		}
	}
	d.ends(t, stories[0])
	d.stop(t)
	d = c.serve(t, data, rosterFile)
	status, text := d.post(t, cloudEvent, structured("same", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))
	if status != http.StatusAccepted || !strings.Contains(text, `"duplicate":true`) || !strings.Contains(text, stories[0]) {
		t.Errorf("after a restart: %d %s", status, text)
	}
	if total, _ := c.calls(t, "AssociateHaVip"); total != 1 {
		t.Errorf("%d attach calls", total)
	}
}

func TestHundredEventsAboutOneInstanceAttachOnce(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "300ms")
	d := c.serve(t, t.TempDir(), builtinRoster(t))
	stories := make([]string, 100)
	together(100, func(i int) {
		stories[i] = d.tell(t, structured(fmt.Sprint(i), "instance.started", "baidu", "bj", "i-syG1"))
	})
	if t.Failed() {
		return
	}
	for _, s := range stories {
		if o := *d.ends(t, s).Outcome; o == havip.Refused || o == havip.TimedOut { // what arrives late is older, and ignored
			t.Errorf("story %s: %s", s, o)
		}
	}
	if total, _ := c.calls(t, "AttachHaVip"); total != 1 {
		t.Errorf("%d attach calls", total)
	}
}

// tell is accept for a goroutine of the test's.
func (d *daemon) tell(t testing.TB, body string) string {
	a, err := d.client().send(t.Context(), []byte(body))
	if err != nil {
		t.Error(err)
		return ""
	}
	return a.Accepted[0].Stories[0]
}

func together(n int, do func(int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}

func TestDemo(t *testing.T) {
	t.Parallel()
	got := havipRuns(t, nil, "demo", "--associate-time", "100ms")
	if got.code != 0 || !strings.Contains(got.out, "Both HAVIPs moved") {
		t.Errorf("%+v", got)
	}
	quoted := regexp.MustCompile("(?s)\n```\n([0-9]{2}:.*?)```\n").FindStringSubmatch(readText(t, "../../README.md"))
	if quoted == nil {
		t.Fatal("the README has no run of it")
	}
	for line := range strings.Lines(quoted[1]) { // but for when, and what a look happened to see
		if !strings.Contains(line, " look ") && !strings.Contains(timeless(got.out), timeless(line)) {
			t.Errorf("the README has %q, and the demo says\n%s", line, got.out)
		}
	}
	got = havipRuns(t, nil, "demo", "--associate-time", "10m", "--patience", "2s")
	if got.code != 1 || !strings.Contains(got.err, "orders-db (havip-bp1orders), cache (havip-w2d4)") {
		t.Errorf("too slow: %+v", got)
	}
}

var moments = regexp.MustCompile(`[0-9]{2}:[0-9]{2}:[0-9.]+|[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}|[0-9.]+ m?s\b`)

// timeless is what was printed without times and request ids.
func timeless(text string) string { return moments.ReplaceAllString(text, "") }

func TestTheDataFolderIsOneHosts(t *testing.T) {
	t.Parallel()
	c := simulate(t)
	data, rosterFile := t.TempDir(), builtinRoster(t)
	c.serve(t, data, rosterFile)
	got := havipRuns(t, c.env, "serve", "--addr", "127.0.0.1:0", "--data", data, "--roster", rosterFile)
	if got.code != exitUsage || !strings.Contains(got.err, "in use by another havip serve") {
		t.Errorf("%+v", got)
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "0s", "--world", file(t, "world.yaml", world))
	got := havipRuns(t, c.env, "roster", "import", "--cloud", "alibaba", "--region", "cn-hangzhou")
	if got.code != 0 || !strings.Contains(got.out, "- i-db2") || !strings.Contains(got.out, "mode: observe") || strings.Contains(got.out, "havip-one") ||
		!strings.Contains(got.err, "havip-one is left out, since nobody holds it: add it with its members") {
		t.Fatalf("%+v", got)
	}
	written := file(t, "imported.yaml", got.out)
	if got = havipRuns(t, nil, "roster", "check", written); got.code != 0 || !strings.Contains(got.out, "mode observe") {
		t.Errorf("%+v", got)
	}
	if err := os.Remove(written); err != nil {
		t.Error(err)
	}
}
