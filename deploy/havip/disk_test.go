package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
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
	eventually(t, "accepted again", func() bool {
		status, text = d.post(t, cloudEvent, structured("2", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))
		return status == http.StatusAccepted
	})
	second = d.accept(t, structured("2", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))[0]
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

// TestTruncatedStore: a host whose files were cut says so, and starts with what is left.
func TestTruncatedStore(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "100ms")
	data, rosterFile := t.TempDir(), builtinRoster(t)
	d := c.serve(t, data, rosterFile)
	d.ends(t, d.accept(t, structured("1", "instance.started", "baidu", "bj", "i-syG1"))[0])
	d.kill()
	blocks, err := filepath.Glob(filepath.Join(data, "jetstream", "$G", "streams", "KV_havip-ledger", "msgs", "*.blk"))
	if err != nil || len(blocks) == 0 {
		t.Fatal(blocks, err)
	}
	for _, b := range blocks {
		i, _ := os.Stat(b)
		fmt.Println(b, i.Size())
		if err := os.Truncate(b, i.Size()/2); err != nil {
			t.Fatal(err)
		}
	}
	d = c.serve(t, data, rosterFile)
	status, text := d.post(t, cloudEvent, structured("1", "instance.started", "baidu", "bj", "i-syG1"))
	d.kill()
	t.Log(status, text, d.words)
}
