package simulator

import (
	"slices"
	"time"

	"havip-functions/shared/havip"
)

// change is an attach or a detach that somebody asks for.
type change struct {
	detach     bool
	targets    []string
	interfaces bool // the targets are interfaces, not instances
	force      bool // detach even the master
	stuck      bool // it never ends on its own
}

// move is a change under way.
type move struct {
	change
	due time.Time
}

// status is what the world is in; the dialects have their own words for it.
func (a *address) status() havip.Status {
	switch {
	case a.forced != "":
		return a.forced
	case a.move != nil && a.move.detach:
		return havip.Unassociating
	case a.move != nil:
		return havip.Associating
	default:
		return a.implied()
	}
}

func (a *address) implied() havip.Status {
	if len(a.holders) > 0 {
		return havip.InUse
	}
	return havip.Available
}

// moving tells whether no change may begin now.
func (a *address) moving() bool {
	s := a.status()
	return a.move != nil || s != havip.Available && s != havip.InUse
}

// force shows a status by hand. One that the holders imply anyway needs no force.
func (a *address) force(s havip.Status) {
	a.forced = s
	if a.move == nil && s == a.implied() {
		a.forced = ""
	}
}

// begin starts a change that the rules allow. It shows at once and takes effect
// when it is due.
func (a *address) begin(c change, now time.Time) {
	a.forced = ""
	a.move = &move{change: c, due: now.Add(a.associateTime)}
	a.settle(now)
}

// settle brings the HAVIP to what it is now. Nothing runs in between: whoever
// looks first computes what has happened since, at its exact time.
func (a *address) settle(now time.Time) {
	if m := a.move; m != nil && !m.stuck && !m.due.After(now) {
		a.elect(m.due)
		a.move = nil
		a.apply(m.change)
		a.elect(m.due)
	}
	a.elect(now)
}

func (a *address) apply(c change) {
	for _, t := range c.targets {
		switch {
		case c.detach:
			a.holders = slices.DeleteFunc(a.holders, func(h string) bool { return h == t })
			if a.master == t {
				a.master = ""
			}
		case a.realm.host(t) != nil: // else it was deleted meanwhile
			a.holders = append(a.holders, t)
			if a.master == t { // it squatted on the address, and has it
				a.guest, a.removed = t, false
			}
		}
	}
}

// release ends a change that was stuck.
func (a *address) release(now time.Time) {
	if a.move != nil && a.move.stuck {
		a.move.stuck = false
		a.move.due = now
		a.settle(now)
	}
}
