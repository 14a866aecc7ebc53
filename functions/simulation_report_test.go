package functions_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// tally counts what occurred, by kind and name.
type tally map[string]int

func (t tally) add(other tally) {
	for what, n := range other {
		t[what] += n
	}
}

// String is a table.
func (t tally) String() string {
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(t)) {
		kind, name, _ := strings.Cut(what, "\t")
		fmt.Fprintf(&b, "%-8s %-60s %9d\n", kind, name, t[what])
	}
	return b.String()
}

// missing is what should have occurred in a big run, and did not.
func (t tally) missing() []string {
	var names []string
	for _, m := range mishaps {
		names = append(names, "fault\t"+string(m))
	}
	for _, o := range []havip.Outcome{havip.Attached, havip.Unchanged, havip.Ignored, havip.Superseded, havip.Refused, havip.TimedOut, havip.ServingLost, havip.ServingRestored} {
		names = append(names, "outcome\t"+string(o))
	}
	for _, s := range slices.Concat(guarded, open) {
		switch s.scope {
		case guard.Stranger, guard.Reader:
			names = append(names, fmt.Sprintf("door\t%s: %d", s.name, s.status))
		case guard.Reporter:
			names = append(names, "door\t"+s.name+": 202", "door\t"+s.name+": 400", "door\t"+s.name+": 403")
		case guard.Operator, guard.Ourselves:
			names = append(names, "door\t"+s.name+": 202", "door\t"+s.name+": 400")
		}
	}
	for _, what := range []string{
		"a member leaves", "a member comes", "mode act", "mode observe", "mode paused", "hold", "limit", "onHealthFailed", "account",
		"a HAVIP leaves", "a HAVIP comes back",
	} {
		names = append(names, "fault\troster: "+what)
	}
	for _, what := range []string{squatter, stickyMaster, lostAnnouncement} {
		names = append(names, "fault\t"+what)
	}
	for _, by := range []havip.AnnouncedBy{havip.ByHolder, havip.ByStranger, havip.ByNobody, havip.ByMute, havip.ByUnknown} {
		names = append(names, "announced by\t"+string(by))
	}
	names = append(names, "announced by\t"+staleMaster)
	names = append(names, "fault\tcloud: Fleet refused", "fault\t"+atBounds, "fault\t"+inCrowd, "fault\t"+afterFlood)
	names = append(names, "fault\tclock: set right, and the process begins anew", "fault\ta process begins anew")
	names = append(names, "step\tWait", "step\tAttach", "step\tDetach", "step\tDetach with force")
	for _, cloud := range []string{"alibaba", "baidu"} {
		for _, code := range simulator.Codes(cloud) {
			names = append(names, "code\t"+cloud+" "+code)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return t[name] > 0 })
}

// described is a record in one line.
type described havip.Record

func (r *described) String() string {
	text := ""
	if s := r.Story; s != nil {
		text = fmt.Sprintf("story %.6s %s %s attempt %d %s %s", s.ID, s.Ask.Kind, s.Ask.Instance, s.Attempt, s.Outcome, s.Rule[:min(len(s.Rule), 80)])
	}
	if p := r.Pending; p != nil {
		text += fmt.Sprintf("; pending %s %s %.6s", p.Verb, p.Instance, p.Token)
	}
	for _, id := range slices.Sorted(maps.Keys(r.Marks)) {
		if r.Marks[id].Failed {
			text += "; failed " + id
		}
	}
	return text + fmt.Sprintf("; outbox %d", len(r.Outbox))
}
