package trace

import (
	"slices"
	"strings"
	"testing"
	"time"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
)

const traceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// told plays a failover and gives the stories that are told of it.
func told(t *testing.T, change func(*functionstest.Stage, *events.Event)) (all []havip.Story) {
	t.Helper()
	scene := functionstest.Scene{Policy: "members: [i-db1, i-db2], hold: 1", Holders: []string{"i-db1"}, Users: "members: [i-db1, i-db3], hold: 1"}
	functionstest.Play(t, scene, func(s *functionstest.Stage) {
		s.Function = s.Host(func(f *flow.Function) { f.Ended = func(s havip.Story) { all = append(all, s) } })
		e := s.Failed("i-db1")
		change(s, &e)
		s.Post(e)
		s.Finish()
	})
	return all
}

func names(list []span) string {
	var all []string
	for _, s := range list {
		all = append(all, s.Name)
	}
	return strings.Join(all, " ")
}

func TestAFailoverAsSpans(t *testing.T) {
	stories := told(t, func(s *functionstest.Stage, e *events.Event) {
		e.TraceParent, e.TraceState = traceParent, "vendor=1"
		if err := s.Clouds.SetInstance("alibaba", "i-db1", havip.Stopped); err != nil {
			t.Fatal(err)
		}
	})
	if len(stories) != 2 { // one of each HAVIP
		t.Fatalf("%d stories are told", len(stories))
	}
	i := slices.IndexFunc(stories, func(s havip.Story) bool { return s.Name == "orders" })
	list := spans(stories[i])
	if got, want := names(list), "CloudEvents Process havip.health.failed look Attach wait look wait look Detach"; !strings.HasPrefix(got, want) {
		t.Errorf("its spans are %s, want %s …", got, want)
	}
	seen := map[string]bool{}
	for i, s := range list {
		if s.TraceID != traceParent[3:35] || s.State != "vendor=1" || s.Parent != [...]string{traceParent[36:52], list[0].ID}[min(i, 1)] {
			t.Errorf("span %d is not in its sender's trace: %+v", i, s)
		}
		if seen[s.ID] || s.Start < list[0].Start || s.End > list[0].End || s.Start > s.End {
			t.Errorf("span %d stands twice, or out of its time: %+v", i, s)
		}
		seen[s.ID] = true
	}
	if again := spans(stories[i]); again[3].ID != list[3].ID {
		t.Error("told again it has other ids")
	}
	if other := spans(stories[1-i]); other[0].TraceID != list[0].TraceID || seen[other[0].ID] {
		t.Error("the other story of the event is not beside it")
	}
}

// An event without a trace has one of its own, for all that it began; what a sender
// doesn't sample isn't told.
func TestWhoseTraceItIs(t *testing.T) {
	stories := told(t, func(*functionstest.Stage, *events.Event) {})
	a, b := spans(stories[0]), spans(stories[1])
	if a[0].TraceID != b[0].TraceID || len(a[0].TraceID) != 32 || a[0].Parent != "" || a[0].ID == b[0].ID {
		t.Errorf("%+v\n%+v", a[0], b[0])
	}
	s := stories[0]
	for parent, want := range map[string]bool{
		strings.TrimSuffix(traceParent, "1") + "0": false, strings.TrimSuffix(traceParent, "01") + "03": true, "nonsense": true,
	} {
		s.Trace.Parent = parent
		if got := len(spans(s)) > 0; got != want {
			t.Errorf("under %s it is told: %v", parent, got)
		}
	}
}

// What went wrong is a failed span, with its code; a wait says why.
func TestWhatWentWrongIsMarked(t *testing.T) {
	at := time.Unix(1, 0)
	s := havip.Story{
		Origin: havip.Origin{ID: "s", StartedAt: at},
		Reading: havip.Reading{
			Steps: []havip.Taken{{At: at.Add(time.Second), Step: havip.Attach, Code: "Throttling", Result: "busy", Ms: 5}},
			Looks: []havip.Glance{{At: at.Add(9 * time.Second), Attempt: 2, Why: "Unreachable"}, {At: at.Add(time.Second), Attempt: 1, Status: havip.Available, Why: "throttled"}},
		},
		Ending: havip.Ending{Outcome: havip.TimedOut, EndedAt: at.Add(10 * time.Second), Rule: "not done"},
	}
	var got []string
	for _, s := range spans(s) {
		line := s.Name
		for _, a := range s.Attributes {
			if a.Key == "error.type" || a.Key == "havip.why" {
				line += " " + a.Value.Text
			}
		}
		if s.Status != nil {
			line += "!"
		}
		got = append(got, line)
	}
	want := []string{"CloudEvents Process  timedout!", "wait", "look throttled", "Attach Throttling!", "wait throttled", "look Unreachable unreadable!", "wait Unreachable"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
