package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"havip-functions/shared/havip"
)

// room lets the files of a process grow to so many bytes and no further, as a
// full disk does.
func (d *daemon) room(t *testing.T, bytes uint64) {
	t.Helper()
	var now unix.Rlimit
	err := unix.Prlimit(d.cmd.Process.Pid, unix.RLIMIT_FSIZE, nil, &now)
	if err == nil {
		now.Cur = min(bytes, now.Max)
		err = unix.Prlimit(d.cmd.Process.Pid, unix.RLIMIT_FSIZE, &now, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestDiskFull: an event that can't be made durable is not accepted, and once
// there is room again it is.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "100ms")
	data, rosterFile := t.TempDir(), builtinRoster(t)
	d := c.serve(t, data, rosterFile)
	first := d.accept(t, structured("1", "instance.started", "baidu", "bj", "i-syG1"))[0]
	d.ends(t, first)
	d.room(t, 100)
	status, text := d.post(t, cloudEvent, structured("2", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))
	if status != http.StatusServiceUnavailable {
		t.Errorf("with a full disk: %d %s", status, text)
	}
	if total, _ := c.calls(t, "AssociateHaVip"); total != 0 {
		t.Errorf("%d attach calls for an event that was not accepted", total)
	}
	d.room(t, unix.RLIM_INFINITY)
	var second string
	eventually(t, "accepted again", func() bool { // it opens its store anew meanwhile
		a, err := d.client().send(t.Context(), []byte(structured("2", "instance.started", "alibaba", "cn-hangzhou", "i-db1")))
		if err == nil {
			second = a.Accepted[0].Stories[0]
		}
		return err == nil
	})
	if s := d.ends(t, second); *s.Outcome != havip.Attached {
		t.Errorf("%s", verdict(s))
	}
	d.stop(t)
	d = c.serve(t, data, rosterFile)
	for _, story := range []string{first, second} {
		if s := d.ends(t, story); *s.Outcome != havip.Attached {
			t.Errorf("after a restart: %s", verdict(s))
		}
	}
}

// TestTruncatedStore: a host whose files were cut or are gone says what it lost,
// and goes on with what is left.
func TestTruncatedStore(t *testing.T) {
	t.Parallel()
	tests := map[string]func(path string) error{
		"cut":  func(path string) error { return os.Truncate(path, 1000) },
		"gone": os.Remove,
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := simulate(t, "--associate-time", "100ms")
			data, rosterFile := t.TempDir(), builtinRoster(t)
			d := c.serve(t, data, rosterFile)
			event := structured("1", "instance.started", "baidu", "bj", "i-syG1")
			d.ends(t, d.accept(t, event)[0])
			eventually(t, "written down how far it came", func() bool {
				text, err := os.ReadFile(filepath.Join(data, "marks.json"))
				return err == nil && strings.Contains(string(text), `"KV_havip-stories":{"place":1,`)
			})
			d.kill()
			blocks, err := filepath.Glob(filepath.Join(data, "jetstream", "$G", "streams", "KV_havip-ledger", "msgs", "*.blk"))
			if err != nil || len(blocks) != 1 {
				t.Fatal(blocks, err)
			}
			if err := damage(blocks[0]); err != nil {
				t.Fatal(err)
			}
			d = c.serve(t, data, rosterFile)
			d.ends(t, d.accept(t, event)[0])
			d.stop(t)
			if log := d.words.String(); !strings.Contains(log, "has lost writes") || !strings.Contains(log, "KV_havip-ledger had ") {
				t.Errorf("it does not say what was lost: %s", log)
			}
			if total, effects := c.calls(t, "AttachHaVip"); total != 1 || effects != 1 {
				t.Errorf("%d attach calls, %d with effect", total, effects)
			}
		})
	}
}
