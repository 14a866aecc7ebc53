package havip

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// long is text of the worst kind: JSON writes each of its bytes as two.
func long(n int) string { return strings.Repeat(`"`, n) }

// extreme is a story with the largest of everything that the doors let in.
func extreme(members []Member) *Story {
	at := time.Date(2026, 11, 22, 3, 0, 0, 123456789, time.UTC)
	s := &Story{
		Origin: Origin{
			ID: strings.Repeat("f", 24), Event: EventRef{long(256), long(256), long(256)}, Trace: Trace{long(55), long(512)},
			HAVIP: Key{"alibaba", strings.Repeat("r", 32), "havip-" + strings.Repeat("h", 64)}, Name: strings.Repeat("n", 64),
			Ask: Ask{Kind: AskRecover, Instance: members[0].ID, Release: members[1].ID, Force: true, AllowGap: true, Actor: long(256), Reason: long(1000)}, StartedAt: at, Deadline: at,
		},
		Progress: Progress{Attempt: 1 << 30, NextAt: at, Since: at, SettledAt: at},
		Reading:  Reading{Roster: strings.Repeat("0", 12)},
		Ending:   Ending{Rule: long(1000), Code: long(maxCode), RequestID: long(maxCode), Advice: long(1000)},
	}
	for _, m := range members {
		s.Skip, s.Barred = append(s.Skip, m.ID), append(s.Barred, m.ID)
		s.Holders = append(s.Holders, m.ID)
	}
	s.Holders = s.Holders[:10]
	for range 100 {
		s.take(Taken{At: at, Step: Attach, Instance: members[0].ID, ClientToken: s.ID, RequestID: long(maxCode), Code: long(maxCode), Result: "accepted", Ms: 1 << 40})
	}
	return s
}

// Whatever arrives, a record keeps its bound, and nothing goes that we decide by:
// marks, the pending call, candidates that were refused, messages.
func TestARecordIsBounded(t *testing.T) {
	const most = 16 // members of a HAVIP, as the roster allows
	var p Policy
	r := Record{N: 1 << 30, Settled: hash("x"), Seen: map[string]Seen{}, Marks: map[string]Mark{}}
	at := time.Now().UTC()
	for n := range most {
		m := Member{ID: fmt.Sprintf("eni-%064d", n)}
		p.Members = append(p.Members, m)
		r.Marks[m.ID] = Mark{Failed: true, At: at, Since: at}
	}
	for n := range maxSeen {
		r.Seen[hash(itoa(n))] = Seen{Story: hash(itoa(n)), At: at, Outcome: Refused, Rule: long(maxReason)}
	}
	r.Story, r.Closed = extreme(p.Members), extreme(p.Members)
	r.Closed.ID, r.Closed.Outcome = strings.Repeat("e", 24), Superseded
	r.Pending = &PendingCall{Verb: Attach, Instance: p.Members[0].ID, Token: r.Story.ID, SentAt: at, AnsweredAt: at, Unseen: time.Hour}
	r.Frozen = &Freeze{Until: at, Reason: cut(long(1000), 300), Actor: cut(long(256), 100)}
	for range 100 {
		r.tell(*r.Closed)
	}
	r.next(at)
	r.fresh = slices.Collect(maps.Keys(r.Seen))
	if !r.crowded() {
		t.Error("it is said to have room for more")
	}
	text, err := encode(r)
	if err != nil || len(text) > 16<<10 {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
	var kept Record
	if err := json.Unmarshal(text, &kept); err != nil {
		t.Fatal(err)
	}
	if len(kept.Marks) != most || len(kept.Seen) != maxSeen || kept.Pending == nil || len(kept.Outbox) != len(r.Outbox) ||
		len(kept.Story.Skip) != most || len(kept.Story.Barred) != most || kept.Closed.Outcome != Superseded || kept.Frozen == nil {
		t.Errorf("of what we decide by there is left: %s", text)
	}
}
