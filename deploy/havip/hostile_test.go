package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// hostile is a case of events/testdata/hostile, whose README says how to read it.
type hostile struct {
	Name    string
	Mode    string
	Headers map[string]*string
	Body    string
	Base64  []byte
	Parts   []any
	Status  int
	Member  string
}

// wire is the request as bytes: no client of ours stands between.
func (c hostile) wire() []byte {
	var body bytes.Buffer
	body.WriteString(c.Body)
	body.Write(c.Base64)
	for _, p := range c.Parts {
		switch p := p.(type) {
		case string:
			body.WriteString(p)
		case map[string]any:
			body.WriteString(strings.Repeat(p["repeat"].(string), int(p["times"].(float64))))
		}
	}
	if c.Mode == "wire" {
		return body.Bytes()
	}
	headers := map[string]string{}
	switch c.Mode {
	case "structured":
		headers["Content-Type"] = "application/cloudevents+json"
	case "batch":
		headers["Content-Type"] = "application/cloudevents-batch+json"
	case "binary":
		headers = map[string]string{"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "h-1",
			"ce-source": "/hostile", "ce-type": "havip.health.failed"}
	}
	for name, value := range c.Headers {
		delete(headers, name)
		if value != nil {
			headers[name] = *value
		}
	}
	head := fmt.Sprintf("POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n", body.Len())
	for name, value := range headers {
		head += name + ": " + value + "\r\n"
	}
	return append([]byte(head+"\r\n"), body.Bytes()...)
}

// answer sends a case over a connection of its own.
func (c hostile) answer(t *testing.T, d *daemon) (*http.Response, error) {
	t.Helper()
	conn, err := net.Dial("tcp", d.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()                                     // the answers are small, and read by then
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second)) // it is a TCP connection
	go func() { _, _ = conn.Write(c.wire()) }()            // the host may answer before it has read it all
	return http.ReadResponse(bufio.NewReader(conn), nil)
}

// Every case is answered as the corpus says, and afterwards the host lives, is
// right, and has not grown.
func TestHostile(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../events/testdata/hostile/index.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []hostile
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	clouds := simulate(t, "--associate-time", "50ms")
	d := clouds.serve(t, t.TempDir(), builtinRoster(t))
	started := func(id, want string) {
		t.Helper()
		story := d.accept(t, structured(id, "instance.started", "alibaba", "cn-hangzhou", "i-db1"))[0]
		if s := d.ends(t, story); s.Outcome == nil || string(*s.Outcome) != want {
			t.Errorf("a good event ended as %+v", s)
		}
	}
	started("before", "attached") // or a sweep would do it, where this takes its time
	for _, c := range cases {
		answer, err := c.answer(t, d)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		var problem struct {
			Status int
			Member string
			Title  string
		}
		_ = json.NewDecoder(answer.Body).Decode(&problem) // net/http answers in words what never reached us
		answer.Body.Close()
		if answer.StatusCode != c.Status || problem.Member != c.Member {
			t.Errorf("%s: %d %q, want %d %q", c.Name, answer.StatusCode, problem.Member, c.Status, c.Member)
		}
		if c.Mode != "wire" && c.Status >= 400 && (problem.Status != c.Status || problem.Title == "" ||
			answer.Header.Get("Content-Type") != "application/problem+json") {
			t.Errorf("%s: no problem document: %+v", c.Name, problem)
		}
	}
	if _, effects := clouds.calls(t, "AssociateHaVip"); effects != 1 {
		t.Errorf("%d instances were attached by hostile events", effects-1)
	}
	peak := peakMemory(t, d.cmd.Process.Pid)
	t.Logf("%d cases, peak resident memory %d MiB", len(cases), peak>>20)
	if limit := 400 << 20; peak > limit {
		t.Errorf("it took %d MiB", peak>>20)
	}
	started("after", "unchanged")
	d.stop(t)
	if words := d.words.String(); strings.Contains(words, "panic") || slices.ContainsFunc(strings.Split(words, "\n"), forged) {
		t.Errorf("the log: %s", words)
	}
}

// forged is a line of the log that a sender wrote.
func forged(line string) bool {
	return strings.HasPrefix(line, "level=") || strings.ContainsAny(line, "\x00\x1b")
}

// peakMemory is what a process has held at most, in bytes.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("only Linux tells it")
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
