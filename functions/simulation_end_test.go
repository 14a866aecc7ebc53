package functions_test

import (
	"fmt"
	"slices"
	"strings"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// resting counts the stories where nothing is under way, and is 0 otherwise.
func (r *run) resting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.unrest() != "" {
		return 0
	}
	return len(r.tape.stories) + 1
}

func (r *run) unrest() string {
	var open []string
	for _, s := range r.tape.shelves {
		if s.record.Story.Open() {
			open = append(open, fmt.Sprintf("%s has the open story %s, attempt %d", s.policy.ID, s.record.Story.ID, s.record.Story.Attempt))
		}
	}
	if r.pending > 0 {
		open = append(open, fmt.Sprintf("%d messages under way", r.pending))
	}
	return strings.Join(open, ", ")
}

// atTheEnd is what must be so when all has calmed down.
func (r *run) atTheEnd() {
	for id, t := range r.tape.stories {
		switch {
		case t.outcome == "":
			r.fail(4, "story %s has no outcome", id)
		case t.told == 0 && !t.disowned:
			r.fail(4, "the outcome %s of story %s was never published", t.outcome, id)
		}
	}
	r.count("", "stories")
	r.tally["\tstories"] += len(r.tape.stories) - 1
	for _, c := range r.sim.Calls(simulator.CallFilter{}) {
		if ours(c.AccessKeyID) && c.Code != "" {
			r.count("code", c.Cloud+" "+c.Code)
		}
	}
	for _, p := range r.roster() {
		r.checkHeld(p)
		r.checkKnown(p)
	}
}

// checkHeld is what all promises are for: after the faults, a healthy member
// holds the HAVIP if there is one to have and the policy lets us act.
func (r *run) checkHeld(p havip.Policy) {
	have, _ := r.sim.HAVIP(p.Cloud, p.ID)
	s := r.tape.shelf(p)
	failed := s.book.failed(p, r.swept.Add(-r.apart()))
	serves := func(id string) bool { // a mark by the cloud's word alone is lifted by it
		return (!failed[id] || s.book.marks[id].Down) && r.instance(p.Cloud, instanceOf(p, id)) == havip.Running
	}
	if p.Mode != havip.Act || slices.ContainsFunc(have.Holders, func(id string) bool {
		_, member := p.Member(id)
		return member && serves(id) || !member
	}) {
		return
	}
	spare := slices.IndexFunc(p.Members, func(m havip.Member) bool { return serves(m.ID) && r.mayHold(p, m) })
	if spare < 0 || r.excused(p, s, have) {
		return
	}
	r.fail(0, "%s is held by %v, none of them healthy, and %s could hold it; its last story is %s (%s)", p.ID,
		have.Holders, p.Members[spare].ID, s.record.Story.Outcome, s.record.Story.Rule)
}

// mayHold tells whether the cloud would let the member hold the HAVIP.
func (r *run) mayHold(p havip.Policy, m havip.Member) bool {
	realm := r.plan.world.Alibaba[0]
	return m.Instance != machine(machines) && (p.Cloud == "baidu" || realm.HAVIPsPerInstance == 0 && !realm.NoInterfaceBinding)
}

// excused tells whether a person has to act: nobody may be released, or the
// cloud said no to the last story.
func (r *run) excused(p havip.Policy, s *shelf, have simulator.HAVIP) bool {
	full := len(have.Holders) >= p.Limit
	failed := s.book.failed(p, r.swept.Add(r.apart()))
	mayGo := slices.ContainsFunc(have.Holders, func(id string) bool {
		guarded := p.Cloud == "alibaba" && have.Master == id && p.OnHealthFailed != havip.ForceReplace
		// The clouds detach nothing from an instance that is neither Running nor Stopped.
		return (failed[id] || r.instance(p.Cloud, instanceOf(p, id)) != havip.Running) && !guarded
	})
	return full && (p.OnHealthFailed == havip.Add || !mayGo) || s.record.Story != nil && decided(*s.record.Story)
}

// decided tells that the last story ended with a cloud's no, or as a person
// wanted it.
func decided(last havip.Story) bool {
	switch last.Outcome {
	case havip.Refused:
		return last.Code != ""
	case havip.Attached, havip.Unchanged:
		return last.Ask.Kind == havip.AskRecover
	case havip.Ignored, havip.Superseded, havip.TimedOut, havip.ServingLost, havip.ServingRestored:
		return false
	}
	return false
}
