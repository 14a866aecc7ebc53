package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"havip-functions/shared/api"
	"havip-functions/shared/ledger/ledgertest"
	"havip-functions/shared/simulator"
)

// The tests run this binary as its users do, in processes of its own.
const asHavip = "HAVIP_TEST_RUNS_MAIN"

func TestMain(m *testing.M) {
	ledgertest.BeNode()
	if os.Getenv(asHavip) != "" {
		main()
		return
	}
	testscript.Main(m, map[string]func(){"havip": main})
}

func command(t testing.TB, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...) //nolint:gosec // it is ourselves
	cmd.Env = append(append(os.Environ(), asHavip+"=1", "HAVIP_ROSTER="), env...)
	return cmd
}

// daemon is a havip process that prints its addresses when it is ready.
type daemon struct {
	cmd   *exec.Cmd
	words *bytes.Buffer // its stderr; read it only when it has ended
	ended chan struct{}
	env   []string
	addresses
}

func start(t testing.TB, env []string, args ...string) *daemon {
	t.Helper()
	return startProgram(t, os.Args[0], env, args...)
}

// startProgram starts that of another version.
func startProgram(t testing.TB, program string, env []string, args ...string) *daemon {
	t.Helper()
	cmd := command(t, env, args...)
	cmd.Path = program
	return started(t, cmd, env)
}

func started(t testing.TB, cmd *exec.Cmd, env []string) *daemon {
	t.Helper()
	d := &daemon{cmd: cmd, words: &bytes.Buffer{}, ended: make(chan struct{}), env: env}
	d.Addrs = &simulator.Addrs{}
	d.cmd.Stderr = d.words
	out, err := d.cmd.StdoutPipe()
	if err == nil {
		err = d.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &d.addresses)
	}
	go func() {
		_, _ = io.Copy(io.Discard, out)
		_ = d.cmd.Wait()
		close(d.ended)
	}()
	t.Cleanup(func() {
		d.kill()
		if t.Failed() {
			t.Logf("%s said at last:\n%s", cmd, lastLines(d.words.String(), 20))
		}
	})
	if err != nil {
		d.kill()
		t.Fatalf("%s: %v: %s", cmd, err, d.words)
	}
	return d
}

func lastLines(text string, most int) string {
	lines := slices.Collect(strings.Lines(text))
	return strings.Join(lines[max(0, len(lines)-most):], "")
}

func (d *daemon) kill() {
	_ = d.cmd.Process.Kill() // it may have ended
	<-d.ended
}

func (d *daemon) stop(t testing.TB) {
	t.Helper()
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case <-d.ended:
	case <-time.After(40 * time.Second):
		t.Fatal("it does not stop")
	}
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("stopped with %d: %s", code, d.words)
	}
}

// clouds is a simulator process and how a havip process finds it.
type clouds struct {
	*daemon
	env     []string
	program string // of the hosts before them; ours where it is empty
}

func simulate(t testing.TB, args ...string) clouds {
	t.Helper()
	free := []string{"simulate", "--alibaba", "127.0.0.1:0", "--baidu", "127.0.0.1:0", "--control", "127.0.0.1:0"}
	d := start(t, nil, append(free, args...)...)
	return clouds{daemon: d, env: []string{
		"HAVIP_ALIBABA_ENDPOINT=http://" + d.Alibaba, "HAVIP_BAIDU_ENDPOINT=http://" + d.Baidu,
		"ALIBABA_CLOUD_ACCESS_KEY_ID=testak", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=testsk",
		"BCE_ACCESS_KEY_ID=testak", "BCE_SECRET_ACCESS_KEY=testsk",
	}}
}

func (c clouds) serve(t testing.TB, data, rosterFile string) *daemon {
	t.Helper()
	return startProgram(t, cmp.Or(c.program, os.Args[0]), c.env, "serve", "--addr", "127.0.0.1:0", "--data", data, "--roster", rosterFile)
}

// control makes a call to the simulator's control API.
func (c clouds) control(t testing.TB, method, path, body string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+c.Control+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s %v: %s", method, path, answer.Status, err, text)
	}
	return text
}

// calls counts the calls of one operation, and those that changed the world.
func (c clouds) calls(t testing.TB, operation string) (total, effects int) {
	t.Helper()
	var answer struct {
		Calls []struct{ Effect bool }
	}
	if err := json.Unmarshal(c.control(t, http.MethodGet, "/calls?operation="+operation, ""), &answer); err != nil {
		t.Fatal(err)
	}
	for _, call := range answer.Calls {
		if call.Effect {
			effects++
		}
	}
	return len(answer.Calls), effects
}

// called waits until a call of the operation changed the world.
func (c clouds) called(t testing.TB, operation string) {
	t.Helper()
	eventually(t, operation, func() bool {
		_, effects := c.calls(t, operation)
		return effects > 0
	})
}

// ran is how a havip command ended.
type ran struct {
	code     int
	out, err string
}

func havipRuns(t testing.TB, env []string, args ...string) ran {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := command(t, env, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // its code is what we ask for
	return ran{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

func (d *daemon) url() string { return "http://" + d.Addr }

// client has the environment that the host was given.
func (d *daemon) client() client {
	return client{d.url(), func(name string) string {
		for _, set := range d.env {
			if value, ok := strings.CutPrefix(set, name+"="); ok {
				return value
			}
		}
		return ""
	}}
}

// post sends an event to the host and returns the answer's status and body.
func (d *daemon) post(t testing.TB, header map[string]string, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url()+"/events", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
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
	return answer.StatusCode, string(text)
}

func (d *daemon) get(t testing.TB, path string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url()+path, nil)
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
	return answer.StatusCode, string(text)
}

// structured is an event of ours as JSON.
func structured(id, kind, cloud, region, instance string) string {
	return `{"specversion":"1.0","id":"` + id + `","source":"test","type":"havip.` + kind +
		`","data":{"cloud":"` + cloud + `","region":"` + region + `","instance":"` + instance + `"}}`
}

var cloudEvent = map[string]string{"Content-Type": "application/cloudevents+json"}

// accept posts an event that must be accepted, and returns its stories. It is for
// the test's own goroutine; others send by the client.
func (d *daemon) accept(t testing.TB, body string) []string {
	t.Helper()
	a, err := d.client().send(t.Context(), []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return a.Accepted[0].Stories
}

// ends waits for the outcome of a story.
func (d *daemon) ends(t testing.TB, story string) api.Story {
	t.Helper()
	return d.endsWithin(t, story, time.Minute)
}

func (d *daemon) endsWithin(t testing.TB, story string, most time.Duration) api.Story {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	s, err := d.client().follow(ctx, story, &teller{out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// eventually waits for something to become true.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(30 * time.Second); !so(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("never: " + what)
		}
	}
}

// file writes a file for this test and returns its path.
func file(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
