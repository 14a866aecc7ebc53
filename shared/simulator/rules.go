package simulator

import (
	"cmp"
	"slices"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator/worldfile"
)

// breach is a rule of the world that a change would break. Each dialect has its
// own code for it.
type breach string

const (
	kept               breach = ""
	noPrivilege        breach = "the account may not manage HAVIPs"
	unknownHAVIP       breach = "unknown HAVIP"
	havipNotReady      breach = "the HAVIP is being created or deleted"
	havipMoving        breach = "the HAVIP is moving"
	noInterfaceBinding breach = "the region binds no interfaces"
	unknownInstance    breach = "unknown instance"
	foreignInstance    breach = "the instance is in another region"
	goneInstance       breach = "the instance was deleted"
	unknownInterface   breach = "unknown interface"
	freeInterface      breach = "the interface is on no instance"
	alreadyHolder      breach = "it holds the HAVIP already"
	sameInstance       breach = "its instance or an interface of it holds the HAVIP already"
	mixedKinds         breach = "instances and interfaces"
	twinInterfaces     breach = "two interfaces of one instance"
	otherNetwork       breach = "not in the network of the HAVIP"
	instanceNotSteady  breach = "the instance is neither Running nor Stopped"
	havipFull          breach = "as many instances hold it as may"
	havipFullOfNICs    breach = "as many interfaces hold it as may"
	instanceFull       breach = "the instance holds as many HAVIPs as it may"
	notHolder          breach = "it does not hold the HAVIP"
	guardedMaster      breach = "it serves, and the change is not forced"
	tokenMismatch      breach = "the ClientToken asked for something else before"
)

// judge says which rule a change would break first. The order, which no vendor
// publishes, is assumption 9.
func (w *world) judge(r *realm, id string, c change) breach {
	if r.spec.NoHAVIPPrivilege {
		return noPrivilege
	}
	a := r.addresses[id]
	switch {
	case a == nil:
		return unknownHAVIP
	case a.status() == worldfile.Creating || a.status() == worldfile.Deleting:
		return havipNotReady
	case a.moving():
		return havipMoving
	}
	for i, t := range c.targets {
		if b := w.judgeTarget(a, t, c.following(i)); b != kept {
			return b
		}
	}
	return kept
}

// following is the change as its i-th target meets it: the earlier ones count
// as done.
func (c change) following(i int) change {
	c.targets = c.targets[:i]
	return c
}

func (w *world) judgeTarget(a *address, t string, c change) breach {
	if b := w.exists(a.realm, t, c.interfaces); b != kept {
		return b
	}
	if c.detach {
		return a.mayRelease(t, c.force)
	}
	if b := a.fits(t, c); b != kept {
		return b
	}
	return a.hasRoom(t, c)
}

func (w *world) exists(r *realm, t string, interfaces bool) breach {
	i, known := r.instances[t]
	n, isInterface := r.interfaces[t]
	switch {
	case interfaces && !isInterface:
		return unknownInterface
	case interfaces && r.spec.NoInterfaceBinding:
		return noInterfaceBinding
	case interfaces && r.host(n.id) == nil:
		return freeInterface
	case interfaces || known && i.state != havip.Deleted:
		return kept
	case known:
		return goneInstance
	case w.instance(r.cloud, t) != nil:
		return foreignInstance
	default:
		return unknownInstance
	}
}

func (a *address) mayRelease(t string, force bool) breach {
	switch {
	case !slices.Contains(a.holders, t):
		return notHolder
	case !a.realm.host(t).steady():
		return instanceNotSteady
	case a.realm.cloud == "alibaba" && a.master == t && !force:
		return guardedMaster
	default:
		return kept
	}
}

// fits tells whether a target goes with the HAVIP and with who holds it, or will
// by this very change.
func (a *address) fits(t string, c change) breach {
	holders := slices.Concat(a.holders, c.targets)
	if slices.Contains(holders, t) {
		return alreadyHolder
	}
	for _, h := range holders {
		_, byInterface := a.realm.interfaces[h]
		sameHost := a.realm.host(h) == a.realm.host(t)
		switch {
		case byInterface != c.interfaces && sameHost:
			return sameInstance
		case byInterface != c.interfaces:
			return mixedKinds
		case c.interfaces && sameHost:
			return twinInterfaces
		}
	}
	if !a.near(t) {
		return otherNetwork
	}
	if !a.realm.host(t).steady() {
		return instanceNotSteady
	}
	return kept
}

// near tells whether the target is in the network that its cloud demands: the
// HAVIP's vSwitch on Alibaba, the HAVIP's VPC on Baidu.
func (a *address) near(t string) bool {
	network := ""
	if n, ok := a.realm.interfaces[t]; ok {
		network = n.network
	} else {
		network = a.realm.instances[t].network
	}
	if a.realm.cloud == "baidu" {
		return a.realm.vpcs[network] == a.realm.vpcs[a.network]
	}
	return network == a.network
}

func (a *address) hasRoom(t string, c change) breach {
	if len(a.holders)+len(c.targets) >= a.limit {
		if c.interfaces {
			return havipFullOfNICs
		}
		return havipFull
	}
	if most := a.realm.mostHeld(); most > 0 && a.realm.held(a.realm.host(t)) >= most {
		return instanceFull
	}
	return kept
}

// mostHeld is how many HAVIPs an instance may hold, 0 for any number.
func (r *realm) mostHeld() int {
	const vendors = 5 // https://www.alibabacloud.com/help/en/ros/developer-reference/aliyun-vpc-havipassociation
	if r.cloud == "alibaba" {
		return cmp.Or(r.spec.HAVIPsPerInstance, vendors)
	}
	return r.spec.HAVIPsPerInstance
}

// held counts the HAVIPs that an instance and its interfaces hold or are about to.
func (r *realm) held(i *instance) int {
	n := 0
	for _, a := range r.addressOrder {
		holders := a.holders
		if a.move != nil && !a.move.detach {
			holders = slices.Concat(holders, a.move.targets)
		}
		if slices.ContainsFunc(holders, func(h string) bool { return r.host(h) == i }) {
			n++
		}
	}
	return n
}

// steady tells whether the clouds work on an instance in this state.
func (i *instance) steady() bool {
	return i != nil && (i.state == havip.Running || i.state == havip.Stopped)
}
