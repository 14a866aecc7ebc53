package main

import (
	"testing"
	"time"
)

// The figures of the town are those of a list of packets that can be counted by hand.
func TestOutage(t *testing.T) {
	t.Parallel()
	begin := time.Unix(1000, 0)
	p := &packets{}
	for _, c := range "aaaa....aa.aaaa" { // a: answered
		p.sent = append(p.sent, begin.Add(time.Duration(len(p.sent))*time.Second))
		p.answered = append(p.answered, c == 'a')
	}
	at := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Second) }
	for _, tt := range []struct {
		fault, until int
		want         outage
	}{
		{0, 3, outage{0, time.Second, time.Second}},
		{3, 14, outage{5, 5 * time.Second, 5 * time.Second}},
		{5, 14, outage{4, 5 * time.Second, 3 * time.Second}}, // silent before the fault
		{9, 14, outage{1, 2 * time.Second, 2 * time.Second}}, // the second one alone
		{2, 7, outage{4, never, never}},
		{4, 7, outage{4, never, never}},
	} {
		if got := p.since(at(tt.fault), at(tt.until)); got != tt.want {
			t.Errorf("from %d to %d: %+v, want %+v", tt.fault, tt.until, got, tt.want)
		}
	}
	slow, quick := outage{gap: 3 * time.Second}, outage{gap: 20 * time.Millisecond}
	for _, tt := range []struct {
		ours, plain outage
		want        string
	}{
		{quick, outage{}, "1.00"}, {slow, quick, "6.00"}, {slow, slow, "1.00"}, {slow, outage{gap: never}, "3.00 s instead of never"},
	} {
		if got := tt.ours.beside(tt.plain); got != tt.want {
			t.Errorf("%v beside %v is %s, want %s", tt.ours.gap, tt.plain.gap, got, tt.want)
		}
	}
}
