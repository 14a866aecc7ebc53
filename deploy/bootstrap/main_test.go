package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// started tells this test binary that it is the bootstrap.
const started = "BOOTSTRAP_STARTED"

// TestMain runs the tests, or is the bootstrap that they start.
func TestMain(m *testing.M) {
	if os.Getenv(started) != "" {
		main()
		return
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil { // the tests wait more than they work
		panic(err)
	}
	os.Exit(m.Run())
}

// process is a bootstrap under way.
type process struct {
	*exec.Cmd
	log *output
}

// start runs a bootstrap with this environment and nothing else, and ends it
// with the test as a cloud does: by SIGTERM, and it has to obey.
func start(t *testing.T, env []string) process {
	t.Helper()
	p := process{exec.Command(os.Args[0]), &output{}}
	p.Env = append([]string{started + "=1", "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}, env...)
	p.Stdout, p.Stderr = p.log, p.log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Signal(syscall.SIGTERM) // it may have ended
		kill := time.AfterFunc(10*time.Second, func() {
			t.Error("it does not obey SIGTERM")
			_ = p.Process.Kill()
		})
		_ = p.Wait()
		kill.Stop()
		if t.Failed() {
			said := p.log.String()
			t.Logf("the end of the log of %d:\n%s", p.Process.Pid, said[max(0, len(said)-2000):])
		}
	})
	return p
}

// output collects what a process says.
type output struct {
	mu   sync.Mutex
	said bytes.Buffer
}

var _ io.Writer = (*output)(nil)

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.said.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.said.String()
}

func (o *output) lines() []string { return strings.Split(o.String(), "\n") }
