package main

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"havip-functions/shared/api"
)

// What docs/start.md has a newcomer type works as it stands there.
func TestStartAsWritten(t *testing.T) {
	t.Parallel()
	page, _, _ := strings.Cut(readText(t, "../../docs/start.md"), "\n## Your own HAVIPs\n")
	typed := regexp.MustCompile(`(?m)^bin/havip (.*)$`).FindAllStringSubmatch(page, -1)
	if len(typed) < 7 || typed[0][1] != "serve --simulate" {
		t.Fatalf("the page says %q", typed)
	}
	d := start(t, nil, append(words(typed[0][1]), "--addr", "127.0.0.1:0")...)
	for _, line := range typed[1:] {
		args := words(line[1])
		want := 0
		if args[0] == "status" {
			want = 1 // nobody holds cache yet, as the page says
		}
		if got := havipRuns(t, []string{"HAVIP_HOST=" + d.url()}, args...); got.code != want {
			t.Errorf("havip %s: %+v", line[1], got)
		}
	}
	event := regexp.MustCompile(`(?s)-H 'Content-Type: application/cloudevents\+json' -d '(.*?)'\n`).FindStringSubmatch(page)
	if event == nil {
		t.Fatal("no event for curl")
	}
	if status, text := d.post(t, cloudEvent, event[1]); status != http.StatusAccepted || !strings.HasPrefix(text, `{"accepted":[{"source":"monitor","id":"1","duplicate":false,"stories":["`) {
		t.Errorf("curl: %d %s", status, text)
	}
}

// Each command that a person on call is told runs as it is told, with names in the place
// of NAME and ID: it finds the host, and nobody calls it a mistake. What follows from it
// is not waited for.
func TestRunbooksAsWritten(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "50ms")
	rosterFile := builtinRoster(t)
	d := c.serve(t, t.TempDir(), rosterFile)
	story := d.accept(t, structured("1", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))[0]
	d.ends(t, story)
	d.post(t, cloudEvent, structured("2", "misspelt", "alibaba", "cn-hangzhou", "i-db1"))
	var letters api.DeadLetters
	if err := d.client().do(t.Context(), http.MethodGet, "/api/deadletters", nil, &letters); err != nil || len(letters.DeadLetters) != 1 {
		t.Fatalf("%+v %v", letters, err)
	}
	named := func(args []string) []string {
		ids := map[string]string{"story": story, "dead": letters.DeadLetters[0].ID, "--instance": "i-db3", "--release": "i-db1"}
		for i, arg := range args {
			switch arg {
			case "NAME":
				args[i] = "orders-db"
			case "GOOD", "OTHER":
				args[i] = "i-db2"
			case "BAD":
				args[i] = "i-db1"
			case "ID":
				if before := ids[args[i-1]]; before != "" {
					args[i] = before
				} else {
					args[i] = ids[args[0]]
				}
			case "roster.yaml":
				args[i] = rosterFile
			}
		}
		if slices.Contains(args, "--force") {
			args = append(args, "--yes") // there is no terminal to ask at
		}
		return slices.DeleteFunc(args, func(arg string) bool { return arg == "--wait" })
	}
	env := append([]string{"HAVIP_HOST=" + d.url(), "HAVIP_ROSTER=" + rosterFile}, c.env...)
	n := 0
	for _, path := range []string{"../../docs/runbooks.md", "../../docs/operations.md", "../../README.md"} {
		for _, told := range commanded[0].FindAllStringSubmatch(readText(t, path), -1) {
			args := named(words(told[1]))
			switch strings.Join(args, " ") {
			case "send health.restored": // whose instance a line of status tells
				args = append(args, "--cloud", "alibaba", "--region", "cn-hangzhou", "--instance", "i-db1")
			case "serve --roster " + rosterFile + " --data /var/lib/havip":
				continue
			}
			if args[0] == "events" || slices.Contains(args, "--watch") { // which go on until they are stopped: TestEventsOutliveTheirHost, TestStatusWatch
				continue
			}
			n++
			unread := "dead letter " + letters.DeadLetters[0].ID + ": type" // so it stays
			if got := havipRuns(t, env, args...); got.code != exitGood && got.code != exitOther && !strings.Contains(got.err, unread) {
				t.Errorf("%s: havip %s: %+v", path, told[1], got)
			}
		}
	}
	if n < 50 {
		t.Errorf("%d commands", n)
	}
}
