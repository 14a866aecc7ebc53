package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"havip-functions/events"
	"havip-functions/shared/api"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
	"havip-functions/shared/simulator/worldfile"
)

// ended reads the stories that have ended, by id: fewer, where the host has no time to
// answer now.
func (w *town) ended(t testing.TB) map[string]api.Story {
	t.Helper()
	ended := map[string]api.Story{}
	var page struct {
		Stories []api.Story
		Next    string
	}
	for next := ""; ; next = page.Next {
		if err := w.host.Load().client().do(t.Context(), http.MethodGet, "/api/stories?next="+next, nil, &page); err != nil {
			t.Log(err)
			return ended
		}
		for _, s := range page.Stories {
			if s.Outcome != nil {
				ended[s.ID] = s
			}
		}
		if page.Next == "" {
			return ended
		}
		page.Stories = nil
	}
}

// outcomes waits for the outcome of every accepted event.
func (w *town) outcomes(t testing.TB) map[string]api.Story {
	t.Helper()
	ended := w.ended(t)
	for end := time.Now().Add(3 * time.Minute); !w.over(ended); ended = w.ended(t) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d accepted events have an outcome", len(ended), len(w.stories))
		}
		wait(t.Context(), 300*time.Millisecond)
	}
	return ended
}

// check holds the outcomes of all accepted events, and the clouds, against what should
// have come of them.
func (w *town) check(t testing.TB) {
	t.Helper()
	ended := w.outcomes(t)
	for id, p := range w.stories {
		if s := ended[id]; *s.Outcome != p.ends && (*s.Outcome != havip.Unchanged || !swept(ended, p)) {
			t.Errorf("%s, %s of %s: %s, want %s", p.havip, p.kind, p.instance, verdict(s), p.ends)
		}
	}
	w.checkCalls(t)
	w.checkHolders(t)
}

// swept tells that a sweep came before the event, and did what it was to do.
func swept(ended map[string]api.Story, p plight) bool {
	for _, s := range ended {
		if s.HAVIP == p.havip && s.Event.Type == events.TypeSweep && *s.Outcome == p.ends {
			return true
		}
	}
	return false
}

// over tells that every accepted event has its outcome.
func (w *town) over(ended map[string]api.Story) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.stories {
		if _, done := ended[id]; !done {
			return false
		}
	}
	return true
}

// checkCalls counts the attaches that had an effect.
func (w *town) checkCalls(t testing.TB) {
	t.Helper()
	effects := map[string]int{}
	for _, operation := range []string{"AssociateHaVip", "AttachHaVip"} {
		var answer struct{ Calls []simulator.Call }
		if err := json.Unmarshal(w.control(t, http.MethodGet, "/calls?operation="+operation, ""), &answer); err != nil {
			t.Fatal(err)
		}
		for _, c := range answer.Calls {
			if c.Effect {
				effects[c.HAVIP]++
			}
		}
	}
	for _, p := range w.stories {
		if effects[p.havip] != p.attaches {
			t.Errorf("%s, %s of %s: %d attaches had an effect, want %d", p.havip, p.kind, p.instance, effects[p.havip], p.attaches)
		}
	}
}

// checkHolders looks for a HAVIP that no healthy instance holds.
func (w *town) checkHolders(t testing.TB) {
	t.Helper()
	for _, wrong := range w.wrong(t) {
		t.Error(wrong)
	}
}

// wrong are the HAVIPs that others hold than should.
func (w *town) wrong(t testing.TB) (found []string) {
	t.Helper()
	now, err := worldfile.Read(file(t, "now.yaml", string(w.control(t, http.MethodGet, "/world", ""))))
	if err != nil {
		t.Fatal(err)
	}
	holders := map[string][]string{}
	for _, r := range slices.Concat(now.Alibaba, now.Baidu) {
		for _, h := range r.HAVIPs {
			holders[h.ID] = h.Holders
		}
	}
	for _, p := range w.stories {
		want := p.instance
		if p.kind == "health.failed" {
			want = strings.TrimSuffix(p.instance, "a") + "b"
		}
		if !slices.Equal(holders[p.havip], []string{want}) {
			found = append(found, fmt.Sprintf("%s is held by %v, want %s", p.havip, holders[p.havip], want))
		}
	}
	return found
}

// told collects what the hosts' logs say of the outcomes of each story.
func told(logs []io.Reader) map[string][]string {
	outcomes := map[string][]string{}
	for _, log := range logs {
		text, _ := io.ReadAll(log) // from memory
		for line := range strings.Lines(string(text)) {
			outcome, story := "", ""
			for word := range strings.FieldsSeq(line) {
				if v, is := strings.CutPrefix(word, "msg="); is {
					outcome = v
				}
				if v, is := strings.CutPrefix(word, "story="); is {
					story = v
				}
			}
			if story != "" && !slices.Contains(outcomes[story], outcome) {
				outcomes[story] = append(outcomes[story], outcome)
			}
		}
	}
	return outcomes
}
