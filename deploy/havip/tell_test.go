package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The outcomes of a host go where the environment says, as those of a function do; and to
// a chat, after a moment for others.
func TestServeTellsTheSink(t *testing.T) {
	told := make(chan string, 10)
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e struct{ Type, Subject string }
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			t.Error(err)
		}
		told <- e.Type + " " + e.Subject
		w.WriteHeader(http.StatusAccepted)
	}))
	defer sink.Close()
	chat := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var said struct{ Text string }
		if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
			t.Error(err)
		}
		told <- said.Text
	}))
	defer chat.Close()
	c := simulate(t)
	c.env = append(c.env, "HAVIP_OUTCOME_SINK="+sink.URL, "HAVIP_NOTIFY=slack:"+chat.URL+"/not-the-secret")
	d := c.serve(t, t.TempDir(), builtinRoster(t))
	if r := havipRuns(t, nil, "recover", "orders-db", "--reason", "drill", "--host", d.url()); r.code != exitGood {
		t.Fatalf("%+v", r)
	}
	for _, want := range []string{"havip.attached havip-bp1orders", "HAVIP info: orders-db (alibaba cn-hangzhou havip-bp1orders) attached, "} {
		select {
		case got := <-told:
			if !strings.HasPrefix(got, want) {
				t.Errorf("it was told %s, want %s", got, want)
			}
		case <-time.After(60 * time.Second):
			t.Error("it was told nothing")
		}
	}
	d.stop(t)
	if strings.Contains(d.words.String(), "not-the-secret") {
		t.Error("the log has the chat's address")
	}
}

// What the environment asks for and a host does not do is refused, in a line that
// says what to do.
func TestServeRefusesWhatItWouldNotDo(t *testing.T) {
	for name, tt := range map[string]struct{ env, says string }{
		"a ledger of another": {"HAVIP_LEDGER=redis://:not-the-secret@127.0.0.1:6379", "unset it, or join a cluster of NATS with --nats"},
		"a ledger beside":     {"HAVIP_LEDGER=nats://127.0.0.1:4222", "unset it"},
		"a bus somewhere":     {"HAVIP_OUTCOME_BUS=havip", "HAVIP_EVENTBRIDGE_ENDPOINT"},
		"a short secret":      {"HAVIP_OUTCOME_SECRET=not-the-secret", "shorter than 16"},
		"a chat nowhere":      {"HAVIP_NOTIFY=dingtalk:not-the-secret", "number 1 of 1"},
		"a sink nowhere":      {"HAVIP_OUTCOME_SINK=not-the-secret", "give https://host/path"},
	} {
		r := havipRuns(t, []string{tt.env}, "serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--roster", builtinRoster(t))
		if r.code != exitUsage || !strings.Contains(r.err, tt.says) || strings.Contains(r.err, "not-the-secret") || strings.Count(strings.TrimSpace(r.err), "\n") != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
