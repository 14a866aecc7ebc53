package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/roster"
)

var inDebian = flag.Bool("deb", false, "install the deb of make release in a Debian made for it, as make deb does")

// debian is a Debian that has booted beside this one, with systemd and no network.
type debian struct {
	*testing.T
	root string
	init string // the process id of its systemd
}

// The deb starts nothing by itself; configured, the host starts, answers and takes an
// event; an upgrade and a stop keep it; a removal keeps the configuration and what is
// remembered, and a purge leaves nothing.
func TestDeb(t *testing.T) {
	if !*inDebian {
		t.Skip("it makes a Debian; make deb does it")
	}
	debs, err := filepath.Glob("../../target/release/*_linux_" + runtime.GOARCH + ".deb")
	if err != nil || len(debs) != 1 {
		t.Fatalf("%d debs for this machine; make release makes one: %v", len(debs), err)
	}
	d := boot(t)
	d.copy("havip.deb", read(t, debs[0]))
	d.does("dpkg -i /havip.deb")
	d.says("disabled", "systemctl is-enabled havip")
	d.says("inactive", "systemctl is-active havip")
	d.says("name at least one HAVIP", "havip roster check /etc/havip/roster.yaml")
	d.says("600 root", "stat -c '%a %U' /etc/havip/credentials")

	d.copy("etc/havip/roster.yaml", roster.Builtin())
	d.copy("mine.yaml", roster.Builtin())
	d.does("havip roster check /etc/havip/roster.yaml && systemctl enable --now havip")
	d.untilReady()
	d.says("havip", "stat -c %U /proc/$(systemctl show -P MainPID havip)")
	d.does("havip send instance.started --cloud alibaba --region cn-hangzhou --instance i-db1")
	before := d.says("", "systemctl show -P MainPID havip")

	d.does("dpkg -i /havip.deb")
	d.untilReady()
	if after := d.says("", "systemctl show -P MainPID havip"); after == before {
		t.Error("the new version does not run")
	}
	d.says("orders-db", "havip story")
	d.does("systemctl stop havip")
	d.says("success", "systemctl show -P Result havip")
	d.does("systemctl start havip")
	d.untilReady()

	d.does("dpkg -r havip")
	d.says("inactive", "systemctl is-active havip")
	d.says("No such file", "havip --version; ls /usr/bin/havip")
	d.does("cmp /etc/havip/roster.yaml /mine.yaml && ls /var/lib/private/havip/jetstream")
	d.does("dpkg -P havip")
	if left := d.says("", "find / -xdev -iname '*havip*' -not -path '/proc/*'"); left != "/havip.deb" {
		t.Errorf("left behind: %s", left)
	}
}

// boot makes a Debian and starts it: https://manpages.debian.org/systemd-nspawn
func boot(t *testing.T) *debian {
	t.Helper()
	d := &debian{T: t, root: shared(t)}
	bootstrap := exec.CommandContext(t.Context(), "mmdebstrap", "--quiet", "--variant=minbase", "--include=systemd-sysv", "bookworm", d.root)
	if out, err := bootstrap.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var console bytes.Buffer
	nspawn := exec.Command("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--private-network", "--link-journal=no", "-D", d.root) //nolint:gosec // as it was found
	nspawn.Stdout, nspawn.Stderr = &console, &console
	if err := nspawn.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = nspawn.Process.Kill() // and with it all that runs there
		_ = nspawn.Wait()
		if t.Failed() {
			t.Log(console.String())
		}
	})
	d.eventually("it boots", func() bool {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", nspawn.Process.Pid))
		d.init = strings.TrimSpace(string(children))
		return err == nil && d.init != "" && exec.Command("nsenter", "-t", d.init, "-a", "systemctl", "is-active", "multi-user.target").Run() == nil
	})
	return d
}

// copy writes a file into it.
func (d *debian) copy(to string, content []byte) {
	d.Helper()
	if err := os.WriteFile(filepath.Join(d.root, to), content, 0o644); err != nil { //nolint:gosec // all may read it
		d.Fatal(err)
	}
}

func (d *debian) run(command string) (string, error) {
	ctx, cancel := context.WithTimeout(d.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "nsenter", "-t", d.init, "-a", "sh", "-c", command).CombinedOutput() //nolint:gosec // the test's own
	return strings.TrimSpace(string(out)), err
}

// does runs a command that has to succeed.
func (d *debian) does(command string) {
	d.Helper()
	out, err := d.run(command)
	if err != nil {
		d.Fatalf("%s: %v: %s", command, err, out)
	}
	d.Log(command, "\n", out)
}

// says runs a command that has to say something.
func (d *debian) says(want, command string) string {
	d.Helper()
	out, _ := d.run(command) // what it says tells
	if !strings.Contains(out, want) {
		d.Errorf("%s says %q, and not %q", command, out, want)
	}
	return out
}

func (d *debian) untilReady() {
	d.Helper()
	d.eventually("it is ready", func() bool {
		out, _ := d.run(`exec 2>&1; bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET /readyz HTTP/1.0\r\n\r\n" >&3; cat <&3'`)
		return strings.Contains(out, " 200 ")
	})
}

func (d *debian) eventually(what string, is func() bool) {
	d.Helper()
	every := time.NewTicker(200 * time.Millisecond)
	defer every.Stop()
	for end := time.After(2 * time.Minute); !is(); {
		select {
		case <-every.C:
		case <-end:
			out, _ := d.run("systemctl status havip; journalctl -n 50 --no-pager")
			d.Fatalf("it never comes true: %s\n%s", what, out)
		}
	}
}

// shared is a folder of the test that others may go through.
func shared(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for at := folder; at != os.TempDir(); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil { //nolint:gosec // that is what it is for
			t.Fatal(err)
		}
	}
	return folder
}
