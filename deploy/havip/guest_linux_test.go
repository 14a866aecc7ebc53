package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// guest is a machine: namespaces of its own, which end with the test, one port on a
// vSwitch, and keepalived as Debian has it.
type guest struct {
	t          *testing.T
	name       string // of the host, by which keepalived picks its lines
	instance   string
	port       string // on the vSwitch's side
	mac        string
	pid        int
	notify     bool // it has our part of keepalived's configuration
	cut        bool // off the bridge; the vSwitch's lock guards it
	keepalives *os.File
}

// boots are the commands of a machine that starts, with its name and its files.
const boots = `set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /etc/keepalived
hostname "$1"
install -m 600 "$2" /etc/keepalived/keepalived.conf
install -m 700 "$3" /etc/keepalived/keepalived-notify.sh
install -m 600 "$4" /etc/keepalived/notify.env
ip link set lo up
echo up
cat
exit`

// boot starts a machine with this keepalived.conf and notify.env. When the test ends,
// however it does, the machine's first process reads the end of its input, and the
// kernel ends the others. Until then it is a shell, which reaps what is killed:
// keepalived doesn't start beside a zombie of its own.
func (g *guest) boot(conf, env string) {
	g.t.Helper()
	script, err := filepath.Abs("../selfhosted/keepalived-notify.sh")
	if err != nil {
		g.t.Fatal(err)
	}
	cmd := exec.CommandContext(g.t.Context(), "sh", "-c", boots, "sh", g.name, conf, script, env) //nolint:gosec // ours
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS}
	cmd.Stderr = os.Stderr
	_, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		g.t.Fatalf("%s does not start: %v", g.name, err)
	}
	g.pid = cmd.Process.Pid
	if g.keepalives, err = os.Create(filepath.Join(g.t.TempDir(), g.name+".log")); err != nil {
		g.t.Fatal(err)
	}
}

// command is one that runs on the machine.
func (g *guest) command(args ...string) *exec.Cmd {
	inside := append([]string{"--target", strconv.Itoa(g.pid), "--mount", "--uts", "--net", "--pid", "--"}, args...)
	cmd := exec.Command("nsenter", inside...) //nolint:gosec // ours
	cmd.Env = append(os.Environ(), "HAVIP_NOTIFY_ENV=/etc/keepalived/notify.env")
	cmd.Stdout, cmd.Stderr = g.keepalives, g.keepalives
	return cmd
}

// sh runs a shell's command on the machine.
func (g *guest) sh(script string) {
	g.t.Helper()
	if err := g.command("sh", "-c", script).Run(); err != nil {
		g.t.Errorf("%s: %s: %v: %s", g.name, script, err, g.log())
	}
}

func (g *guest) log() string {
	text, err := os.ReadFile(g.keepalives.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// start starts keepalived, and does what systemd would by our drop-in, which is
// there when keepalived ends by a kill, too.
func (g *guest) start() {
	g.t.Helper()
	cmd := g.command("keepalived", "--dont-fork", "--log-console", "--log-detail")
	if err := cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	go func() {
		g.unit("keepalived-havip.conf", "ExecStartPost")
		_ = cmd.Wait() // it is killed at times
		g.unit("keepalived-havip.conf", "ExecStopPost")
	}()
}

// signal sends one to all processes of keepalived.
func (g *guest) signal(signal string) {
	g.t.Helper()
	g.sh("kill -" + signal + " $(pidof keepalived)")
}

// unit runs what a directive of a unit of ours says.
func (g *guest) unit(file, directive string) {
	if !g.notify {
		return
	}
	for _, command := range readUnit(g.t, "../selfhosted/"+file, "[Service]")[directive] {
		_ = g.command(strings.Fields(strings.TrimPrefix(command, "-"))...).Run() // our host may be out of reach
	}
}

// repeats does what the timer does.
func (g *guest) repeats() {
	every := readUnit(g.t, "../selfhosted/keepalived-notify.timer", "[Timer]")["OnUnitActiveSec"]
	pause, err := time.ParseDuration(strings.Replace(strings.Join(every, ""), "min", "m", 1))
	if err != nil {
		g.t.Error(err)
		return
	}
	for tick := time.NewTicker(pause); ; {
		select {
		case <-tick.C:
			g.unit("keepalived-notify.service", "ExecStart")
		case <-g.t.Context().Done():
			return
		}
	}
}

// root runs a command of the town itself.
func root(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil { //nolint:gosec // ours
		t.Errorf("%v: %v: %s", args, err, out)
	}
}
