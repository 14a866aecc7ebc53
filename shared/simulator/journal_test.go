package simulator

import (
	"fmt"
	"testing"
	"time"
)

func TestJournalKeepsTheLast(t *testing.T) {
	var j journal
	const extra = 3
	for i := range journalSize + extra {
		j.add(Call{Operation: []string{"even", "odd"}[i%2], HAVIP: "h"})
	}
	all := j.pick(CallFilter{})
	if len(all) != journalSize || all[0].N != extra+1 || all[len(all)-1].N != journalSize+extra {
		t.Errorf("%d calls are kept, from %d to %d", len(all), all[0].N, all[len(all)-1].N)
	}
	odd := CallFilter{Operation: "odd", HAVIP: "h"}
	if j.count[CallFilter{}] != journalSize+extra || j.count[odd] != (journalSize+extra)/2 {
		t.Errorf("counted %d, odd ones %d", j.count[CallFilter{}], j.count[odd])
	}
}

func TestRecentForgetsInTime(t *testing.T) {
	r := recent[string, int]{lives: time.Hour}
	begin := time.Now()
	for i := range 60 { // none is lost on the way, however busy it is
		r.put(fmt.Sprint(i), i, begin.Add(time.Duration(i)*time.Minute))
	}
	r.put("late", 0, begin.Add(time.Hour+1))
	if v, ok := r.get("59"); !ok || v != 59 {
		t.Error("what may still be asked for is forgotten")
	}
	r.put("later", 0, begin.Add(3*time.Hour))
	if _, ok := r.get("59"); ok || len(r.young)+len(r.old) != 2 {
		t.Errorf("%d are kept, want 2", len(r.young)+len(r.old))
	}
}

func TestRecentIsBounded(t *testing.T) {
	r := recent[int, struct{}]{lives: time.Hour}
	begin := time.Now()
	for i := range 10 * recentSize {
		r.put(i, struct{}{}, begin)
	}
	if _, ok := r.get(9*recentSize + 1); !ok || len(r.young)+len(r.old) > 2*recentSize {
		t.Errorf("%d are kept, the last of them: %t", len(r.young)+len(r.old), ok)
	}
}
