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

func TestNoncesAreForgottenOnceTheyCanNotServe(t *testing.T) {
	var n nonceStore
	begin := time.Now()
	for i := range 100 {
		if !n.use(fmt.Sprint(i), begin) || n.use(fmt.Sprint(i), begin.Add(2*skew)) {
			t.Fatalf("nonce %d is not new, or new twice", i)
		}
	}
	for i := range 29 { // none is lost on the way, however busy it is
		n.use(fmt.Sprint("other", i), begin.Add(time.Duration(i)*time.Minute))
	}
	if n.use("1", begin.Add(2*skew+1)) {
		t.Error("a nonce served again while its stamp could still be accepted")
	}
	n.use("late", begin.Add(5*skew))
	n.use("later", begin.Add(8*skew))
	if kept := len(n.young) + len(n.old); kept != 2 {
		t.Errorf("%d nonces are kept, want 2", kept)
	}
}
