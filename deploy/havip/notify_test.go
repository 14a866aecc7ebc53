package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"havip-functions/shared/api"
)

// keepalived runs the script that we ship for it, as keepalived does.
func keepalived(t *testing.T, env string, args ...string) (string, error) {
	t.Helper()
	script, err := filepath.Abs("../selfhosted/keepalived-notify.sh")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), script, args...) //nolint:gosec // it is ours
	cmd.Env = append(cmd.Environ(), "HAVIP_NOTIFY_ENV="+env)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// notified is a host that is told by the script, and the script's settings.
type notified struct {
	*daemon
	clouds
	data, env, spool string
}

const ingressToken = "HAVIP_INGRESS_TOKEN=hush-hush-hush-token"

func newNotified(t *testing.T) *notified {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	n := &notified{clouds: simulate(t, "--associate-time", "50ms"), data: t.TempDir(), spool: filepath.Join(t.TempDir(), "spool")}
	n.open(t, "127.0.0.1:0")
	n.env = file(t, "notify.env", n.settings())
	return n
}

// open starts the host, anew perhaps.
func (n *notified) open(t *testing.T, addr string) {
	t.Helper()
	n.daemon = start(t, append(append([]string{}, n.clouds.env...), ingressToken, operatorToken),
		"serve", "--addr", addr, "--data", n.data, "--roster", builtinRoster(t))
}

func (n *notified) settings() string {
	return "HAVIP_URL=" + n.url() + "/\n" + ingressToken + "\nHAVIP_CLOUD=alibaba\nHAVIP_REGION=cn-hangzhou\nHAVIP_INSTANCE=i-db1\nHAVIP_SPOOL=" + n.spool + "\n"
}

// waiting are the words in the spool.
func (n *notified) waiting(t *testing.T) []string {
	t.Helper()
	words, err := filepath.Glob(filepath.Join(n.spool, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return words
}

// stories are those of this instance's keepalived, the newest first.
func (n *notified) stories(t *testing.T) (told []api.Story) {
	t.Helper()
	var list api.Stories
	if err := n.client().do(t.Context(), "GET", "/api/stories", nil, &list); err != nil {
		t.Fatal(err)
	}
	for _, s := range list.Stories {
		if s.Event.Source == "keepalived:i-db1" {
			told = append(told, s)
		}
	}
	return told
}

func TestKeepalivedNotify(t *testing.T) {
	t.Parallel()
	n := newNotified(t)
	for _, args := range [][]string{{"INSTANCE", "VI_1", "START", "100"}, {"INSTANCE", `V"I\1`, "FAULT", "100"}, {"INSTANCE", "VI_1", "MASTER", "100"}} {
		if out, err := keepalived(t, n.env, args...); err != nil || out != "" || len(n.waiting(t)) > 0 {
			t.Fatalf("%v: %v %s, and %v waits", args, err, out, n.waiting(t))
		}
	}
	eventually(t, "stories of a start and of a fault", func() bool {
		types := map[string]bool{}
		for _, s := range n.stories(t) {
			types[s.Event.Type] = true
		}
		return types["havip.instance.started"] && types["havip.health.failed"]
	})
	if out, err := keepalived(t, n.env, "INSTANCE", "VI_1", "PANIC", "100"); err == nil || !strings.Contains(out, "PANIC") {
		t.Errorf("a state that is none: %v %s", err, out)
	}
}

// Where a person has to act first, it says so and doesn't try again; a word waits
// where it may be taken one day.
func TestKeepalivedNotifyIsTurnedAway(t *testing.T) {
	t.Parallel()
	n := newNotified(t)
	for _, tt := range []struct {
		says, old, spoilt string
		waits             int
	}{
		{"HAVIP_INGRESS_TOKEN is not set", "HAVIP_INGRESS_TOKEN", "X", 0},
		{"was not accepted (400), and never will be", "=alibaba", "=...", 0},
		{"was not accepted (401); it waits", "hush-hush-hush-token", "hush-other", 1},
	} {
		out, err := keepalived(t, file(t, "notify.env", strings.Replace(n.settings(), tt.old, tt.spoilt, 1)), "INSTANCE", "VI_1", "FAULT", "100")
		if !strings.Contains(out, tt.says) || strings.Contains(out, "hush") || len(n.waiting(t)) != tt.waits || (err == nil) != strings.Contains(out, "never") {
			t.Errorf("%s: %v %s, and %v waits", tt.says, err, out, n.waiting(t))
		}
	}
	if out, err := keepalived(t, n.env, "INSTANCE", "VI_1", "FAULT", "100"); err != nil || len(n.waiting(t)) > 0 {
		t.Errorf("once the token is right: %v %s, and %v waits", err, out, n.waiting(t))
	}
}

// While the host is away words wait, and are then told the newest first: a fault that
// is over by then moves nothing.
func TestKeepalivedNotifyLosesNoWord(t *testing.T) {
	t.Parallel()
	n := newNotified(t)
	addr := n.Addr
	n.stop(t)
	fault := make(chan error)
	go func() {
		_, err := keepalived(t, n.env, "INSTANCE", "VI_1", "FAULT", "100")
		fault <- err
	}()
	eventually(t, "the fault waits", func() bool { return len(n.waiting(t)) == 1 })
	if out, err := keepalived(t, n.env, "INSTANCE", "VI_1", "START", "100"); err == nil || !strings.Contains(out, "waits in "+n.spool) || len(n.waiting(t)) != 2 {
		t.Fatalf("systemd waits for START: %v %s, and %v waits", err, out, n.waiting(t))
	}
	n.open(t, addr)
	if err := <-fault; err != nil || len(n.waiting(t)) > 0 {
		t.Fatalf("when the host is back: %v, and %v waits", err, n.waiting(t))
	}
	eventually(t, "the start is acted on and the fault ignored", func() bool {
		outcomes := map[string]string{}
		for _, s := range n.stories(t) {
			if s.Outcome != nil {
				outcomes[s.Event.Type] = string(*s.Outcome)
			}
		}
		return outcomes["havip.instance.started"] == "attached" && outcomes["havip.health.failed"] == "ignored"
	})
}

// The timer says the last word again, as the same event, and what keepalived could not
// say: that it was killed, or that it runs again.
func TestKeepalivedNotifyRepeats(t *testing.T) {
	t.Parallel()
	n := newNotified(t)
	if exec.CommandContext(t.Context(), "pidof", "keepalived").Run() == nil {
		t.Skip("a keepalived runs on this machine")
	}
	say := func(args ...string) (last string) {
		t.Helper()
		out, err := keepalived(t, n.env, args...)
		word, readErr := os.ReadFile(filepath.Join(n.spool, "last"))
		if err != nil || readErr != nil || out != "" || len(n.waiting(t)) > 0 {
			t.Fatalf("%v: %v %v %s, and %v waits", args, err, readErr, out, n.waiting(t))
		}
		return string(word)
	}
	if stopped := say("repeat"); !strings.Contains(stopped, "keepalived is STOP") {
		t.Errorf("on a machine that never said a word: %s", stopped)
	}
	runs := runAs(t, "keepalived")
	started := say("repeat")
	if !strings.Contains(started, "keepalived is START") {
		t.Errorf("it runs again: %s", started)
	}
	master := say("INSTANCE", "VI_1", "MASTER", "100")
	before := len(n.stories(t))
	if again := say("repeat"); again != master || len(n.stories(t)) != before {
		t.Errorf("%s is repeated as %s, and %d stories are %d", master, again, before, len(n.stories(t)))
	}
	runs.kill()
	if killed := say("repeat"); !strings.Contains(killed, "havip.health.failed") {
		t.Errorf("it was killed: %s", killed)
	}
}

// runAs starts a process of this name, which does nothing.
func runAs(t *testing.T, name string) *daemon {
	t.Helper()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(sleep) //nolint:gosec // found on the path
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(t.TempDir(), name), os.O_CREATE|os.O_WRONLY, 0o700) //nolint:gosec // it is to run
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(to, from)
	to.Close()
	d := &daemon{cmd: exec.CommandContext(t.Context(), to.Name(), "infinity"), ended: make(chan struct{})} //nolint:gosec // ours
	if err == nil {
		err = d.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = d.cmd.Wait()
		close(d.ended)
	}()
	t.Cleanup(d.kill)
	return d
}

func TestScriptsInTheEyesOfShellcheck(t *testing.T) {
	t.Parallel()
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skipf("nobody judges the scripts: %v", err)
	}
	scripts, err := filepath.Glob("../selfhosted/package/*.sh")
	if err != nil || len(scripts) != 3 {
		t.Fatal(scripts, err)
	}
	if said, err := exec.CommandContext(t.Context(), shellcheck, append(scripts, "../selfhosted/keepalived-notify.sh")...).CombinedOutput(); err != nil { //nolint:gosec // ours
		t.Errorf("%v\n%s", err, said)
	}
}

// Who follows the page has what the town runs.
func TestKeepalivedFilesStandInTheDocs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/keepalived.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"keepalived.conf", "keepalived-havip.conf", "keepalived-notify.service", "keepalived-notify.timer"} {
		text, err := os.ReadFile("../selfhosted/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "```\n"+string(text)+"```\n") {
			t.Errorf("docs/keepalived.md has not %s as it is", name)
		}
	}
}

func TestKeepalivedReadsItsFile(t *testing.T) {
	t.Parallel()
	binary, err := exec.LookPath("keepalived")
	if err != nil {
		t.Skipf("nobody reads keepalived.conf: %v", err)
	}
	text, err := os.ReadFile("../selfhosted/keepalived.conf")
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("../selfhosted/keepalived-notify.sh")
	if err != nil {
		t.Fatal(err)
	}
	conf := file(t, "keepalived.conf", strings.ReplaceAll(string(text), "/etc/keepalived/keepalived-notify.sh", script))
	for _, host := range []string{"db1", "db2", "db3"} {
		if said, err := exec.CommandContext(t.Context(), binary, "--config-test", "--config-id", host, "--use-file", conf).CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", host, err, said)
		}
	}
}
