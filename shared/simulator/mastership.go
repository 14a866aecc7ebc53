package simulator

import (
	"fmt"
	"slices"
	"time"

	"havip-functions/shared/havip"
)

// The cloud learns who announces an address from the gratuitous ARP that it hears:
// the last one is the master, whether it holds the HAVIP or not. The guests of the
// holders behave as keepalived does, none of which preempts another.

// elect lets go of whoever can't announce the address any more. Once no guest has had
// it for long enough, the first running holder configures and announces it. Its callers
// see to it that nothing changed between two calls.
func (a *address) elect(now time.Time) {
	if a.guest != "" && !a.canServe(a.guest) {
		a.letGo()
		a.vacantUntil = now.Add(a.masterTime)
	}
	if !a.runs(a.master) {
		a.master = ""
	}
	if a.guest != "" || a.silent || now.Before(a.vacantUntil) {
		return
	}
	if i := slices.IndexFunc(a.holders, a.canServe); i >= 0 {
		a.guest = a.holders[i]
		a.announce(a.guest)
	}
}

// letGo takes the address from its guest, and from the cloud's memory where that
// announced it last.
func (a *address) letGo() {
	if a.master == a.guest {
		a.master = ""
	}
	a.guest, a.removed = "", false
}

func (a *address) announce(who string) {
	if !a.unheard {
		a.master = who
	}
}

func (a *address) canServe(holder string) bool {
	return slices.Contains(a.holders, holder) && a.runs(holder)
}

func (a *address) runs(who string) bool {
	i := a.realm.host(who)
	return i != nil && i.state == havip.Running
}

// appoint has somebody announce the address at once: a holder, to which VRRP moves
// it, or a stranger, which squats on it. "" makes nobody announce it until somebody
// is appointed.
func (a *address) appoint(who string) error {
	switch {
	case who == "":
		a.master, a.silent = "", true
		a.letGo()
	case !a.runs(who):
		return fmt.Errorf("master %q does not run in the region of HAVIP %s; name an instance or interface that does, or nobody", who, a.id)
	case a.canServe(who):
		a.guest, a.removed, a.silent = who, false, false
		a.announce(who)
	default:
		a.announce(who)
	}
	return nil
}

// answers is who answers at the address, where the cloud's packets arrive: a stranger
// too, and "" for nobody. A holder that is not the guest has no such address.
func (a *address) answers() string {
	held := slices.Contains(a.holders, a.master)
	if held && (a.master != a.guest || a.removed) {
		return ""
	}
	return a.master
}

// named is what the cloud calls the master: itself, or its instance where the region
// names those.
func (a *address) named() string {
	if a.realm.spec.MastersByInstance && a.master != "" {
		return a.realm.host(a.master).id
	}
	return a.master
}
