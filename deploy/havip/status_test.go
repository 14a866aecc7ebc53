package main

import (
	"bufio"
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"havip-functions/shared/havip"
)

// dark is a HAVIP with all that may be wrong or worth a note, in the longest words
// that the clouds have.
func dark(now time.Time) havip.View {
	story, long := "0123456789abcdef01234567", "i-bp67acfmxazb4p1abcd"
	return havip.View{
		Name: "orders-db-production", ID: "havip-bp1orders0123456789", Status: havip.InUse, Hold: 2, Mode: havip.Observe, Announcement: havip.Announcement{Serving: long, AnnouncedBy: havip.ByHolder},
		Holders: []havip.HolderView{{ID: long, Health: "failed"}, {ID: "i-bp67acfmxazb4p1abce", Health: "unknown"}},
		Story:   &story, Open: &havip.OpenView{Since: now.Add(-time.Minute), Attempt: 7, Waits: strings.Repeat("it still serves ", 10), Advice: "stop keepalived on it"},
		Marks:  []havip.MarkView{{ID: long, Since: now.Add(-time.Hour), Until: now.Add(time.Hour)}},
		Last:   &havip.LastView{Story: story, Outcome: havip.TimedOut, EndedAt: now.Add(-time.Hour)},
		Frozen: &havip.Freeze{Until: now.Add(time.Hour), Reason: "switch maintenance\x1b[2J", Actor: "me"},
		Wrong:  []string{long + " serves, and has failed"},
	}
}

func TestStatusFitsATerminal(t *testing.T) {
	now := time.Now()
	views := []havip.View{{Name: "cache", Status: havip.InUse, Mode: havip.Act, Hold: 1, Announcement: havip.Announcement{Serving: "i-1", AnnouncedBy: havip.ByHolder}, Holders: []havip.HolderView{{ID: "i-1", Health: "healthy"}}}, dark(now)}
	for _, width := range []int{100, 80, 60} {
		var out bytes.Buffer
		writeStatus(&out, views, now, width)
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns on a terminal of %d: %s", n, width, line)
			}
		}
		if strings.Contains(out.String(), "\x1b") {
			t.Errorf("colours, or what steers a terminal, where there is none: %q", out.String())
		}
	}
	var out bytes.Buffer
	writeStatus(&out, views, now, 0)
	text := out.String()
	if !strings.HasPrefix(text, "wrong  orders-db-production: ") || strings.Index(text, "\norders-db-production ") > strings.Index(text, "\ncache ") {
		t.Errorf("what is wrong does not come first:\n%s", text)
	}
	for _, says := range []string{"look 7: it still serves", "stop keepalived on it", "is marked as failed for 1h0m", "timedout 1h0m ago", "frozen until", "mode observe"} {
		if !strings.Contains(text, says) {
			t.Errorf("it does not say %q:\n%s", says, text)
		}
	}
}

func TestAColouredCellKeepsItsColumn(t *testing.T) {
	var out bytes.Buffer
	table{{"A", "B"}, {"\x1b[31mfailed\x1b[0m", "x"}, {"ok", "y"}}.write(&out)
	if want := "A       B\n\x1b[31mfailed\x1b[0m  x\nok      y\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// Lines are told in the order in which things happened, however late they are heard of.
func TestLinesStandInTheOrderOfTime(t *testing.T) {
	var out bytes.Buffer
	l := &lines{out: &out}
	now := time.Now()
	a, b := teller{out: l, prefix: "a "}, teller{out: l, prefix: "b "}
	b.line(now.Add(20*time.Millisecond), "second")
	a.line(now.Add(10*time.Millisecond), "first")
	b.line(now.Add(30*time.Millisecond), "third")
	l.flush(time.Time{})
	if text := out.String(); strings.Index(text, "first") > strings.Index(text, "second") || strings.Index(text, "second") > strings.Index(text, "third") {
		t.Error(text)
	}
}

// What is watched is drawn anew, also while the host is away, until it is stopped.
func TestStatusWatch(t *testing.T) {
	t.Parallel()
	sim := simulate(t, "--associate-time", "100ms")
	h := sim.serve(t, t.TempDir(), builtinRoster(t))
	watch := command(t, []string{"HAVIP_HOST=http://" + h.Addr}, "status", "--watch", "orders-db")
	out, err := watch.StdoutPipe()
	if err == nil {
		err = watch.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = watch.Process.Kill() })
	lines := bufio.NewScanner(out)
	shows := func(word string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), word) {
				return
			}
		}
		t.Fatalf("it ends before it shows %q: %v", word, lines.Err())
	}
	shows("nobody holds it")
	if r := havipRuns(t, []string{"HAVIP_HOST=http://" + h.Addr}, "recover", "orders-db", "--reason", "watched", "--wait"); r.code != exitGood {
		t.Fatalf("%+v", r)
	}
	shows("attached")
	h.stop(t)
	shows("no host at")
	if err := watch.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := watch.Wait(); err != nil {
		t.Errorf("stopped it ends with %v", err)
	}
}
