package events

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// story is the id of one, in our own form.
const story = "5f2c9a0d41b7e3886c0f92aa"

var at = time.Date(2026, 3, 1, 12, 0, 0, 250e6, time.UTC)

// samples hold one event of each type; the golden file is named after it.
var samples = []Event{
	New("started-1", at, InstanceStarted{Cloud: "alibaba", Region: "cn-hangzhou", Instance: "i-db2"}),
	New("failed-1", at, HealthFailed{
		Cloud: "alibaba", Region: "cn-hangzhou", Instance: "i-db1", HAVIP: "havip-bp1orders", Reason: "no answer on 5432",
	}),
	New("restored-1", at, HealthRestored{Cloud: "baidu", Region: "bj", Instance: "i-syG1"}),
	New("recover-1", at, Recover{
		Cloud: "alibaba", Region: "cn-hangzhou", HAVIP: "havip-bp1orders", Instance: "i-db3", Release: "i-db1",
		Force: true, Reason: "disk of i-db1 is full", Actor: "ada",
	}),
	follow(New("check-1", at, StatusCheck{
		Cloud: "alibaba", Region: "cn-hangzhou", HAVIP: "havip-bp1orders", Story: story, Attempt: 2,
		NotBefore: at.Add(2 * time.Second), Carried: json.RawMessage(`{"id":"` + story + `","attempt":2}`),
	})),
	New("sweep-1", at, Sweep{Cloud: "baidu", Region: "bj"}),
	New("attached-1", at, outcome("attached")),
	New("unchanged-1", at, outcome("unchanged")),
	New("ignored-1", at, Outcome{Story: story, Outcome: "ignored", Holders: []string{}, Rule: "older than what is known of i-db1"}),
	New("superseded-1", at, outcome("superseded")),
	New("refused-1", at, outcome("refused")),
	New("timedout-1", at, outcome("timedout")),
	New("lost-1", at, unserved()),
	New("restored-2", at, outcome("serving.restored")),
}

func follow(e Event) Event {
	e.Expiry = at.Add(time.Hour)
	e.Causation = "failed-1"
	e.TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	e.TraceState = "vendor=1"
	return e
}

func outcome(name string) Outcome {
	return Outcome{
		Cloud: "alibaba", Region: "cn-hangzhou", HAVIP: "havip-bp1orders", Name: "orders-db",
		Story: story, Outcome: name, Holders: []string{"i-db2"}, Serving: "i-db2", Instance: "i-db2",
		Released: true, Attempts: 4, Calls: 2, StartedAt: at, EndedAt: at.Add(5 * time.Second), CloudMs: 312,
		Roster: "0c5f1e9a77b2", AnnouncedBy: "holder", Announcer: "i-db2",
	}
}

func unserved() Outcome {
	o := outcome("serving.lost")
	o.Serving, o.AnnouncedBy, o.Announcer = "", "stranger", "i-web1"
	o.Rule, o.Advice = "i-web1, which does not hold it, announces 10.0.0.100", "stop keepalived on i-web1"
	return o
}

func TestGolden(t *testing.T) {
	for _, sample := range samples {
		t.Run(sample.Type, func(t *testing.T) {
			file := filepath.Join("testdata", sample.Type+".json")
			got, err := json.MarshalIndent(sample, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("what we send changed; if you meant it, make golden\ngot  %s\nwant %s", got, want)
			}
			read, err := Read(want, at)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(read, []Event{sample}) {
				t.Errorf("read back\n%+v\nwant\n%+v", read, sample)
			}
		})
	}
}

func TestEveryTypeHasAGoldenFile(t *testing.T) {
	sent := map[string]bool{}
	for _, sample := range samples {
		sent[sample.Type] = true
	}
	for name := range readers {
		if !sent[name] {
			t.Errorf("%s has no sample", name)
		}
	}
}
