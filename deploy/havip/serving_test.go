package main

import (
	"net/http"
	"strings"
	"testing"
)

// TestAStrangerIsNamed: whoever asks hears who has the address, and what to do; what
// waits for a recover fails until a holder announces it.
func TestAStrangerIsNamed(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "100ms")
	rosterFile := builtinRoster(t)
	at := append(c.env, "HAVIP_HOST="+c.serve(t, t.TempDir(), rosterFile).url())
	master := func(id string) {
		c.control(t, http.MethodPut, "/clouds/alibaba/havips/havip-bp1orders", `{"master":"`+id+`"}`)
	}
	says := func(code int, words string, args ...string) {
		t.Helper()
		got := havipRuns(t, at, args...)
		if got.code != code || !strings.Contains(got.out+got.err, words) {
			t.Errorf("havip %s: %d\n%s%s\nwant %d %q", strings.Join(args, " "), got.code, got.out, got.err, code, words)
		}
	}
	again := []string{"recover", "orders-db", "--reason", "test"}
	says(0, "i-db1 serves", append(again, "--wait")...)
	for _, tc := range []struct{ master, status, words string }{
		{"i-web1", "i-web1 (stranger)", "orders-db is not served: i-web1, a stranger, announces it"},
		{"", "check keepalived on i-db1", "orders-db is not served: nobody serves"},
	} {
		master(tc.master)
		says(1, tc.status, "status", "orders-db")
		says(1, tc.status, "status", "orders-db", "--direct", "--roster", rosterFile)
		says(1, tc.words, append(again, "--wait")...)
		says(1, tc.words, append(again, "--direct", "--roster", rosterFile)...)
		says(1, "failed  orders-db: ", "doctor", "--roster", rosterFile)
	}
	master("i-web1")
	says(1, "stop keepalived on i-web1 or take 10.0.0.100 off its interfaces", "status", "orders-db", "--json")
	master("i-db2") // a member
	says(1, "or let it hold it, by havip recover orders-db --instance i-db2", "status", "orders-db")
	master("i-db1")
	says(0, "i-db1 serves", append(again, "--wait")...)
	says(1, "held by 1 of 1, i-db1 serves", "doctor", "--roster", rosterFile) // nobody holds the other one
}
