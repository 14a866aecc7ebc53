package havip

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// An index finds what going through the whole roster would.
func TestIndex(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func(what string) string { return fmt.Sprintf("%s-%d", what, rng.IntN(30)) }
	var all []Policy
	for n := range 100 {
		p := Policy{Name: fmt.Sprintf("n-%d", n), Cloud: []string{"alibaba", "baidu"}[n%2], Region: "r", ID: fmt.Sprintf("havip-%d", n)}
		for range rng.IntN(4) {
			m := Member{ID: draw("eni"), Instance: draw("i")}
			if rng.IntN(2) == 0 {
				m.Instance = m.ID
			}
			p.Members = append(p.Members, m)
		}
		all = append(all, p)
	}
	x := NewIndex(all)
	scan := func(which func(Policy) bool) []Policy {
		return slices.DeleteFunc(slices.Clone(all), func(p Policy) bool { return !which(p) })
	}
	same := func(what string, got, want []Policy) {
		if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: found %d, want %d", what, len(got), len(want))
		}
	}
	for n := range 40 {
		for _, name := range []string{fmt.Sprintf("i-%d", n), fmt.Sprintf("eni-%d", n), ""} {
			same(name, x.Of(name), scan(func(p Policy) bool { _, is := p.Member(name); return is }))
		}
	}
	for _, p := range all {
		got, found := x.Policy(p.Key())
		same(p.Name, []Policy{got}, []Policy{p})
		same(p.Name, x.Named(p.Name), scan(func(q Policy) bool { return q.Name == p.Name }))
		same(p.ID, x.Named(p.ID), scan(func(q Policy) bool { return q.ID == p.ID }))
		same("a story of "+p.Name, x.Shelved(storyOf(p.Key(), "e")), scan(func(q Policy) bool { return q.Key().Shelf() == p.Key().Shelf() }))
		if !found {
			t.Errorf("%s is not found", p.Name)
		}
	}
	if _, found := x.Policy(Key{"alibaba", "r", "havip-1"}); found {
		t.Error("one of another cloud is found")
	}
	same("nothing", new(Index).Named("n-1"), nil)
}

// BenchmarkIndex is what one look and one event ask of a roster: the cost of 10,000 HAVIPs
// is that of 10, which is the limit.
func BenchmarkIndex(b *testing.B) {
	for _, size := range []int{10, 100, 1000, 10_000} {
		var all []Policy
		for n := range size {
			id := fmt.Sprintf("havip-%d", n)
			all = append(all, Policy{Name: id, Cloud: "baidu", Region: "bj", ID: id, Members: []Member{{ID: "i-" + id, Instance: "i-" + id}}})
		}
		x, last := NewIndex(all), all[size-1]
		b.Run(fmt.Sprintf("HAVIPs=%d", size), func(b *testing.B) {
			for b.Loop() {
				if p, found := x.Policy(last.Key()); !found || len(x.Of(p.Members[0].Instance)) != 1 {
					b.Fatal("it is not found")
				}
			}
		})
	}
}
