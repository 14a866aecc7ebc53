package host_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/roster"
	"havip-functions/shared/runtime/host"
	"havip-functions/shared/simulator"
)

// TestServingIsWatched: a host tells once that a stranger has the address, by an event
// that stays to be read, by the status and by a gauge, and after it began anew still.
func TestServingIsWatched(t *testing.T) {
	list, err := roster.Parse([]byte(strings.Replace(string(roster.Builtin()), "id: havip-bp1orders", "id: havip-bp1orders\n    servingWithin: 0s", 1)))
	if err != nil {
		t.Fatal(err)
	}
	sim, config := simulated(t), host.Config{Data: t.TempDir(), Roster: list, Sweep: 100 * time.Millisecond}
	master := func(id string) {
		if err := sim.SetHAVIP("alibaba", "havip-bp1orders", simulator.HAVIPChange{Master: &id}); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("lost", func(t *testing.T) {
		h := serve(t, sim, config)
		outcome(t, h, first(t, h, "1"))
		gauged(t, h, "stranger", "0")
		gauged(t, h, "nobody", "0") // a sweep may have come before the first holder
		master("i-web1")
		gauged(t, h, "stranger", "1")
		gauged(t, h, "nobody", "0")
		lost := told(t, h, "serving.lost")
		if reason, advice := lost["reason"].(string), lost["advice"].(string); !strings.Contains(reason, "i-web1, which does not hold it") || !strings.Contains(advice, "stop keepalived on i-web1") {
			t.Errorf("%v", lost)
		}
		if _, again := ask(t, h, http.MethodGet, "/api/stories/"+lost["id"].(string), ""); again["outcome"] != "serving.lost" {
			t.Errorf("by its id it is %v", again)
		}
		_, v := ask(t, h, http.MethodGet, "/api/havips?havip=orders-db", "")
		if view := v["havips"].([]any)[0].(map[string]any); view["serving"] != "" || view["announcedBy"] != "stranger" || view["announcer"] != "i-web1" || view["advice"] == nil {
			t.Errorf("the status is %v", view)
		}
	})
	h := serve(t, sim, config)
	gauged(t, h, "stranger", "1")
	master("i-db1")
	gauged(t, h, "stranger", "0")
	told(t, h, "serving.restored")
}

// gauged waits until the gauge of orders-db says so.
func gauged(t *testing.T, h *host.Host, by, value string) {
	t.Helper()
	want := `havip_serving_lost{by="` + by + `",havip="orders-db"} ` + value + "\n"
	eventually(t, "the gauge says "+want, func() bool {
		answer, err := http.Get("http://" + h.Addr + "/metrics") //nolint:noctx // it ends with the host
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		return strings.Contains(string(text), want)
	})
}

// told waits until the newest word about who announces orders-db is this one. Lost and
// restored take turns: each is told once.
func told(t *testing.T, h *host.Host, outcome string) (newest map[string]any) {
	t.Helper()
	eventually(t, outcome+" is told", func() bool {
		_, v := ask(t, h, http.MethodGet, "/api/stories?havip=orders-db", "")
		newest = nil
		var before any
		for _, s := range v["stories"].([]any) {
			s := s.(map[string]any)
			word, _ := s["outcome"].(string)
			if !strings.HasPrefix(word, "serving.") {
				continue
			}
			if word == before {
				t.Fatalf("%s is told twice in a row: %v", word, v)
			}
			if before = word; newest == nil {
				newest = s
			}
		}
		return newest != nil && newest["outcome"] == outcome
	})
	return newest
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(30 * time.Second); !is(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("it never happens that %s", what)
		}
	}
}
