package main

import (
	"bufio"
	"encoding/json"
	"strings"
	"testing"
)

// What happens is printed as it does, also what happened while the host was away.
func TestEventsOutliveTheirHost(t *testing.T) {
	sim := simulate(t, "--associate-time", "100ms")
	data, file := t.TempDir(), builtinRoster(t)
	h := sim.serve(t, data, file)
	tail := command(t, []string{"HAVIP_HOST=http://" + h.Addr}, "events", "--json", "--after", "0")
	out, err := tail.StdoutPipe()
	if err == nil {
		err = tail.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tail.Process.Kill(); _ = tail.Wait() })
	lines := bufio.NewScanner(out)
	next := func(reason string) {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("no line: %v", lines.Err())
		}
		var e struct {
			Data struct{ Outcome, Name, Actor string }
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Data.Name != "orders-db" || !strings.Contains("attached unchanged", e.Data.Outcome) {
			t.Errorf("%s: %v %s", reason, err, lines.Text())
		}
	}
	recovers := func(reason string) {
		t.Helper()
		if text, err := command(t, []string{"HAVIP_HOST=http://" + h.Addr}, "recover", "orders-db", "--reason", reason, "--wait").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	recovers("one")
	next("one")
	addr := h.Addr
	h.stop(t)
	h = start(t, sim.env, "serve", "--addr", addr, "--data", data, "--roster", file)
	recovers("two")
	next("two")
}
