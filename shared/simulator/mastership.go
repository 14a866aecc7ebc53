package simulator

import (
	"fmt"
	"slices"
	"time"

	"havip-functions/shared/havip"
)

// elect lets go of a master that can't announce the address any more, and takes
// the first running holder once the address has been silent for long enough. Its
// callers see to it that nothing changed between two calls.
func (a *address) elect(now time.Time) {
	if a.master != "" && !a.canServe(a.master) {
		a.master = ""
		a.vacantUntil = now.Add(a.masterTime)
	}
	if a.master != "" || a.silent || now.Before(a.vacantUntil) {
		return
	}
	if i := slices.IndexFunc(a.holders, a.canServe); i >= 0 {
		a.master = a.holders[i]
	}
}

func (a *address) canServe(holder string) bool {
	i := a.realm.host(holder)
	return i != nil && i.state == havip.Running && slices.Contains(a.holders, holder)
}

// appoint makes a holder the master at once; "" makes nobody announce the
// address until somebody is appointed.
func (a *address) appoint(holder string) error {
	if holder != "" && !a.canServe(holder) {
		return fmt.Errorf("master %q does not hold HAVIP %s or is not Running; name one of its running holders, or nobody", holder, a.id)
	}
	a.master = holder
	a.silent = holder == ""
	return nil
}
