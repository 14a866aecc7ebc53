package simulator

import (
	"cmp"
	"slices"
	"time"

	"havip-functions/shared/havip"
)

// world is the state of both clouds. It knows no HTTP, and the simulator's mutex
// guards it.
type world struct {
	realms    map[string][]*realm // by cloud
	instances map[string]*instance
	addresses map[string]*address
}

// realm is what one account has in one region.
type realm struct {
	spec       Realm
	cloud      string
	vpcs       map[string]string // network → VPC
	instances  map[string]*instance
	interfaces map[string]*nic
	addresses  map[string]*address
	created    time.Time

	// The specification's order, in which lists answer.
	instanceOrder  []*instance
	interfaceOrder []*nic
	addressOrder   []*address
}

type instance struct {
	realm   *realm
	id      string
	network string
	state   havip.InstanceState
}

type nic struct {
	id      string
	network string
	host    *instance // nil: a free one
}

// address is a HAVIP.
type address struct {
	realm         *realm
	id            string
	network       string
	ip            string
	limit         int
	holders       []string
	forced        havip.Status // set by hand; "": what the holders imply
	move          *move
	guest         string    // the holder that has the address configured
	master        string    // the last one that the cloud heard announce it, holder or not
	vacantUntil   time.Time // no guest configures the address before
	silent        bool      // nor after, by order of the control address
	removed       bool      // the guest lost the address, and nobody heard of it
	unheard       bool      // the cloud hears nobody
	associateTime time.Duration
	masterTime    time.Duration
}

func newWorld(o Options) *world {
	w := &world{realms: map[string][]*realm{}, instances: map[string]*instance{}, addresses: map[string]*address{}}
	for _, spec := range o.World.Alibaba {
		w.add("alibaba", spec, o)
	}
	for _, spec := range o.World.Baidu {
		w.add("baidu", spec, o)
	}
	return w
}

func (w *world) add(cloud string, spec Realm, o Options) {
	r := &realm{
		spec: spec, cloud: cloud, created: time.Now(),
		vpcs: map[string]string{}, instances: map[string]*instance{},
		interfaces: map[string]*nic{}, addresses: map[string]*address{},
	}
	for _, n := range slices.Concat(spec.VSwitches, spec.Subnets) {
		r.vpcs[n.ID] = n.VPC
	}
	for _, i := range spec.Instances {
		r.addInstance(i)
		w.instances[cloud+"/"+i.ID] = r.instances[i.ID]
	}
	for _, n := range spec.Interfaces {
		r.interfaces[n.ID] = &nic{id: n.ID, network: n.VSwitch + n.Subnet, host: r.instances[n.Instance]}
		r.interfaceOrder = append(r.interfaceOrder, r.interfaces[n.ID])
	}
	for _, h := range spec.HAVIPs {
		r.addAddress(h, o)
		w.addresses[cloud+"/"+h.ID] = r.addresses[h.ID]
	}
	w.realms[cloud] = append(w.realms[cloud], r)
}

func (r *realm) addInstance(i Instance) {
	r.instances[i.ID] = &instance{realm: r, id: i.ID, network: i.VSwitch + i.Subnet, state: cmp.Or(i.State, havip.Running)}
	r.instanceOrder = append(r.instanceOrder, r.instances[i.ID])
}

func (r *realm) addAddress(h HAVIP, o Options) {
	standard := 2
	if r.cloud == "baidu" {
		standard = 5
	}
	a := &address{
		realm: r, id: h.ID, network: h.VSwitch + h.Subnet, ip: h.IP,
		limit: cmp.Or(h.Limit, standard), holders: slices.Clone(h.Holders),
		associateTime: o.AssociateTime, masterTime: o.MasterTime,
	}
	a.force(h.Status)
	if slices.Contains(a.holders, h.Master) {
		a.guest, a.master = h.Master, h.Master
	}
	a.elect(time.Now())
	if a.runs(h.Master) {
		a.master = h.Master
	}
	a.removed, a.unheard = h.Removed, h.Unheard
	r.addresses[h.ID] = a
	r.addressOrder = append(r.addressOrder, a)
}

func (w *world) instance(cloud, id string) *instance { return w.instances[cloud+"/"+id] }
func (w *world) address(cloud, id string) *address   { return w.addresses[cloud+"/"+id] }

// settleAll brings every HAVIP of the realm to what it is now.
func (r *realm) settleAll(now time.Time) {
	for _, a := range r.addressOrder {
		a.settle(now)
	}
}

// setState moves an instance, and with it whatever it announces. A deleted
// instance holds nothing any more.
func (i *instance) setState(state havip.InstanceState, now time.Time) {
	i.realm.settleAll(now)
	i.state = state
	for _, a := range i.realm.addressOrder {
		if state == havip.Deleted {
			a.holders = slices.DeleteFunc(a.holders, func(h string) bool { return i.realm.host(h) == nil })
		}
		a.elect(now)
	}
}

// host is the instance behind a holder, or nil where there is none any more.
func (r *realm) host(holder string) *instance {
	i := r.instances[holder]
	if n, ok := r.interfaces[holder]; ok {
		i = n.host
	}
	if i == nil || i.state == havip.Deleted {
		return nil
	}
	return i
}

// snapshot is the world as a world file.
func (w *world) snapshot(now time.Time) World {
	all := func(cloud string) Realms {
		realms := Realms{}
		for _, r := range w.realms[cloud] {
			r.settleAll(now)
			realms = append(realms, r.snapshot())
		}
		return realms
	}
	return World{Alibaba: all("alibaba"), Baidu: all("baidu")}
}

func (r *realm) snapshot() Realm {
	shot := r.spec
	shot.Instances = slices.Clone(r.spec.Instances)
	for i := range shot.Instances {
		shot.Instances[i].State = r.instances[shot.Instances[i].ID].state
	}
	shot.HAVIPs = []HAVIP{}
	for _, a := range r.addressOrder {
		shot.HAVIPs = append(shot.HAVIPs, a.snapshot())
	}
	return shot
}

func (a *address) snapshot() HAVIP {
	shot := HAVIP{
		ID: a.id, IP: a.ip, Limit: a.limit, Status: a.status(), Master: a.master,
		Holders: append([]string{}, a.holders...), Removed: a.removed, Unheard: a.unheard,
	}
	if a.realm.cloud == "baidu" {
		shot.Subnet = a.network
	} else {
		shot.VSwitch = a.network
	}
	return shot
}
