package havip

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// These checks walk every state of a small world: members and a stranger, every
// status, health, mastership, limit and hold, under every kind of ask; and the
// states of the instances as Fleet tells them, does not know them, or refuses to.

var people = []string{"i-1", "i-2", "i-x"} // i-x is not on the roster

func subsets() [][]string {
	var all [][]string
	for bits := range 1 << len(people) {
		var some []string
		for i, id := range people {
			if bits&(1<<i) != 0 {
				some = append(some, id)
			}
		}
		all = append(all, some)
	}
	return all
}

func set(ids []string) map[string]bool {
	m := map[string]bool{}
	for _, id := range ids {
		m[id] = true
	}
	return m
}

// states calls do with every HAVIP of the small world.
func states(do func(HAVIP)) {
	for _, status := range []Status{Available, Associating, InUse, Unassociating, "Creating"} {
		for _, holders := range subsets() {
			for _, failed := range subsets() {
				for _, serving := range append([]string{""}, holders...) {
					for bits := range 16 {
						h := HAVIP{Status: status, Holders: holders, Failed: set(failed), Serving: serving,
							Unresolved: bits&1 != 0, Guards: bits&2 != 0, Limit: 1 + (bits>>2)&1,
							States: map[string]InstanceState{}}
						if bits&8 != 0 {
							h.States["i-2"] = Stopped
						}
						do(h)
					}
				}
			}
		}
	}
}

func wants(do func(Want)) {
	for _, instance := range append([]string{""}, people...) {
		for _, release := range append([]string{""}, people...) {
			for bits := range 4 {
				do(Want{Instance: instance, Release: release, Force: bits&1 != 0, AllowGap: bits&2 != 0})
			}
		}
	}
}

func TestNextIsSafeInEveryState(t *testing.T) {
	n := 0
	states(func(h HAVIP) {
		wants(func(w Want) {
			n++
			if wrong := unsafeStep(w, h, Next(w, h)); wrong != "" {
				t.Fatalf("%s: Next(%+v, %+v) = %s", wrong, w, h, Next(w, h))
			}
		})
	})
	t.Logf("%d states", n)
}

func unsafeStep(w Want, h HAVIP, step Step) string {
	healthyStays := slices.ContainsFunc(h.Holders, func(id string) bool {
		return id != w.Release && !h.Failed[id] && h.States[id] != Stopped
	})
	atRest := !h.Unresolved && (h.Status == InUse || h.Status == Available && len(h.Holders) == 0)
	switch {
	case !atRest && step != Wait:
		return "it moves"
	case step == Attach && (h.On(w.Instance) || w.Instance == "" || len(h.Holders) >= h.Limit):
		return "nothing to attach, or no room"
	case step == Detach && (!h.On(w.Release) || w.Instance == w.Release):
		return "nothing to detach"
	case step == Detach && !h.Failed[w.Release] && !healthyStays && !w.AllowGap:
		return "the last healthy holder"
	case step == Detach && h.Guards && h.Serving == w.Release && !w.Force:
		return "the cloud guards it"
	case step == Detach && !h.On(w.Instance) && len(h.Holders) < h.Limit:
		return "attach comes before detach where there is room"
	case step == Done && (!h.On(w.Instance) || h.On(w.Release) || h.Status != InUse):
		return "not so"
	case !slices.Contains([]Step{Wait, Detach, Attach, Done, Refuse}, step):
		return "no answer"
	}
	return ""
}

// crowd calls do with every HAVIP at rest that three members and a stranger may
// hold, in each state of its members that Fleet may tell, and none at all.
func crowd(do func(HAVIP)) {
	everyone := []string{"i-1", "i-2", "i-3", "i-x"}
	for held := range 1 << len(everyone) {
		for failing := range 1 << 4 { // also a stranger, whom a mark may outlive
			if failing&^held&8 != 0 { // a stranger counts where he holds it
				continue
			}
			for down := range 1<<3 + 2 {
				h := HAVIP{Status: InUse, Holders: picked(everyone, held), Failed: set(picked(everyone, failing))}
				if held == 0 {
					h.Status = Available
				}
				switch {
				case down < 1<<3: // Fleet answers
					h.States = map[string]InstanceState{}
					for i, id := range everyone[:3] {
						h.States[id] = []InstanceState{Running, Stopped}[down>>i&1]
					}
				case down == 1<<3: // it does not know them
					h.States = map[string]InstanceState{}
				}
				for _, h.Serving = range append([]string{""}, h.Holders...) {
					for bits := range 4 {
						h.Guards, h.Limit = bits&1 != 0, 1+bits/2
						do(h)
					}
				}
			}
		}
	}
}

func picked(from []string, bits int) []string {
	var some []string
	for i, id := range from {
		if bits&(1<<i) != 0 {
			some = append(some, id)
		}
	}
	return some
}

func policies(do func(Policy)) {
	members := []Member{{"i-1", "i-1"}, {"i-2", "i-2"}, {"i-3", "i-3"}}
	for hold := 1; hold <= 2; hold++ {
		for _, on := range []OnHealthFailed{Add, Replace, ForceReplace} {
			do(Policy{Members: members, Hold: hold, OnHealthFailed: on, Mode: Act})
		}
	}
}

func asks(do func(Ask)) {
	for _, kind := range []Kind{AskStarted, AskFailed, AskRestored, AskSweep} {
		for _, named := range []string{"", "i-3"} {
			do(Ask{Kind: kind, Instance: named})
		}
	}
	for _, instance := range []string{"", "i-1", "i-3"} {
		for _, release := range []string{"", "i-1", "i-2"} {
			for _, bits := range []bool{false, true} {
				do(Ask{Kind: AskRecover, Instance: instance, Release: release, Force: bits, AllowGap: bits})
			}
		}
	}
}

func TestChooseIsSafeInEveryState(t *testing.T) {
	n := 0
	crowd(func(h HAVIP) {
		policies(func(p Policy) {
			asks(func(a Ask) {
				n++
				want := Choose(p, h, Story{Origin: Origin{Ask: a}})
				step := Next(want, h)
				wrong := unsafeChoice(p, h, a, want, step)
				if wrong == "" {
					wrong = unsafeStep(want, h, step)
				}
				if wrong != "" {
					t.Fatalf("%s: Choose(%+v, %+v, %+v) = %+v, %s", wrong, p, h, a, want, step)
				}
			})
		})
	})
	t.Logf("%d states", n)
}

func unsafeChoice(p Policy, h HAVIP, a Ask, w Want, step Step) string {
	byHand := a.Kind == AskRecover
	_, member := p.Member(w.Instance)
	_, ours := p.Member(w.Release)
	fit := func(id string) bool { return !h.Failed[id] && !h.States[id].Down() }
	healthy, spare := 0, false
	for _, id := range h.Holders {
		if fit(id) && (!byHand || id != a.Release) {
			healthy++
		}
	}
	for _, m := range p.Members {
		spare = spare || !h.On(m.ID) && fit(m.ID)
	}
	switch {
	case step == Attach && !member:
		return "only members are attached"
	case step == Detach && !ours:
		return "only members are detached"
	case step == Attach && !fit(w.Instance) && (!byHand || a.Instance != w.Instance):
		return "a failed or stopped instance is attached only by hand"
	case step == Detach && !h.Failed[w.Release] && (!byHand || a.Release != w.Release):
		return "only a failed holder is released, or the one that a person names"
	case step == Detach && p.OnHealthFailed == Add && (!byHand || a.Release != w.Release):
		return "add releases nobody"
	case w.AllowGap && (!byHand || !a.AllowGap):
		return "a gap is a person's to allow"
	case step == Attach && !byHand && healthy >= p.Hold:
		return "the hold is met"
	case step == Done && !byHand && healthy < p.Hold && spare && !h.Full():
		return "done, with fewer healthy holders than there should be and one to attach"
	case step == Done && !byHand && !fit(w.Instance):
		return "what stays is known to be down"
	case step == Done && !byHand && h.On(h.Serving) && fit(h.Serving) && w.Instance != h.Serving:
		return "the outcome names another than the one that serves"
	}
	return ""
}

// TestChoiceConverges plays the steps out: the clouds do as they are told, and
// the address moves off a failed holder. The story must come to an end, and the
// HAVIP to a healthy holder wherever there was one to have.
func TestChoiceConverges(t *testing.T) {
	crowd(func(h HAVIP) {
		if len(h.Holders) > h.Limit || h.Failed["i-x"] { // of whom nobody would release him
			return
		}
		policies(func(p Policy) {
			if p.Hold > h.Limit {
				return
			}
			for _, kind := range []Kind{AskStarted, AskFailed, AskSweep} {
				if err := converges(p, h, Story{Origin: Origin{Ask: Ask{Kind: kind}}}); err != nil {
					t.Fatalf("%v: %+v, %+v", err, p, h)
				}
			}
		})
	})
}

func converges(p Policy, h HAVIP, s Story) error {
	h.Holders, h.Failed = slices.Clone(h.Holders), maps.Clone(h.Failed)
	for _, id := range h.Holders { // as a look marks them
		h.Failed[id] = h.Failed[id] || h.States[id].Down()
	}
	had := stayingHolders(h, "")
	for range 12 {
		want := Choose(p, h, s)
		switch step := Next(want, h); step {
		case Attach:
			h.Holders = append(h.Holders, want.Instance)
		case Detach:
			h.Holders = slices.DeleteFunc(h.Holders, func(id string) bool { return id == want.Release })
		case Wait: // VRRP moves the address to a healthy holder, if there is one
			h.Serving = Choose(Policy{Hold: 0}, h, Story{}).Instance
			if !h.On(h.Serving) {
				return fmt.Errorf("waits for nobody, wanting %+v", want)
			}
		case Done, Refuse:
			return lost(p, h, had, step)
		}
		h.Status = InUse
		if len(h.Holders) == 0 {
			h.Status = Available
		}
		if !h.On(h.Serving) {
			h.Serving = ""
		}
	}
	return fmt.Errorf("never ends")
}

func lost(p Policy, h HAVIP, had []string, step Step) error {
	healthy := stayingHolders(h, "")
	standby := standby(p, h, Story{})
	switch {
	case len(had) > 0 && len(healthy) == 0:
		return fmt.Errorf("lost its healthy holder, at %s", step)
	case step == Done && len(healthy) < p.Hold && standby != "":
		return fmt.Errorf("done with %s still to attach", standby)
	case step == Refuse && len(healthy) > 0 && (p.OnHealthFailed != Add || !h.Full()):
		return fmt.Errorf("refused while %v is healthy", healthy)
	case step == Refuse && standby != "" && !h.Full():
		return fmt.Errorf("refused with %s to attach and room for it", standby)
	}
	return nil
}
