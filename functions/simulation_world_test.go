package functions_test

import (
	"context"
	"fmt"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// regions of the two clouds, and the keys: ours, those of our second account, and
// those of a third party.
var (
	regions    = map[string]string{"alibaba": "cn-hangzhou", "baidu": "bj"}
	ourKeys    = havip.Credentials{AccessKeyID: "ourak", AccessKeySecret: "oursk"}
	secondKeys = havip.Credentials{AccessKeyID: "secondak", AccessKeySecret: "secondsk"}
	otherKeys  = havip.Credentials{AccessKeyID: "otherak", AccessKeySecret: "othersk"}
)

const machines = 5 // of each cloud; one more stands in another network

func (d *drawing) drawWorld() {
	keys := map[string]string{}
	for _, k := range []havip.Credentials{ourKeys, secondKeys, otherKeys} {
		keys[k.AccessKeyID] = k.AccessKeySecret
	}
	realms := map[string]*simulator.Realm{
		"alibaba": {Region: regions["alibaba"], AccessKeys: keys, VSwitches: []simulator.Network{{ID: "near", VPC: "v"}, {ID: "far", VPC: "w"}}},
		"baidu":   {Region: regions["baidu"], AccessKeys: keys, Subnets: []simulator.Network{{ID: "near", VPC: "v"}, {ID: "far", VPC: "w"}}},
	}
	for cloud, r := range realms {
		for n := range machines + 1 {
			network := "near"
			if n == machines {
				network = "far"
			}
			r.Instances = append(r.Instances, placed(cloud, network, simulator.Instance{ID: machine(n)}))
			nic := simulator.Interface{ID: fmt.Sprintf("eni-%d", n), Instance: machine(n)}
			nic.VSwitch, nic.Subnet = on(cloud, network)
			r.Interfaces = append(r.Interfaces, nic)
		}
	}
	if d.coin(0.03) {
		realms["alibaba"].HAVIPsPerInstance = 1
	}
	if d.coin(0.01) {
		realms["alibaba"].NoInterfaceBinding = true
	}
	for n := range 1 + d.IntN(3) {
		p := d.policy(n)
		d.policies = append(d.policies, p)
		r := realms[p.Cloud]
		r.HAVIPs = append(r.HAVIPs, d.address(n, p))
	}
	d.world = simulator.World{Alibaba: simulator.Realms{*realms["alibaba"]}, Baidu: simulator.Realms{*realms["baidu"]}}
}

func machine(n int) string { return fmt.Sprintf("i-%d", n) }

func on(cloud, network string) (vswitch, subnet string) {
	if cloud == "baidu" {
		return "", network
	}
	return network, ""
}

func placed(cloud, network string, i simulator.Instance) simulator.Instance {
	i.VSwitch, i.Subnet = on(cloud, network)
	return i
}

func (d *drawing) policy(n int) havip.Policy {
	p := havip.Policy{
		Name: fmt.Sprintf("address-%d", n), Cloud: pick(d.Rand, "alibaba", "alibaba", "baidu"), ID: fmt.Sprintf("havip-%d", n),
		Mode:           pick(d.Rand, havip.Act, havip.Act, havip.Act, havip.Act, havip.Act, havip.Act, havip.Act, havip.Act, havip.Observe, havip.Paused),
		OnHealthFailed: pick(d.Rand, havip.Replace, havip.Replace, havip.Replace, havip.Add, havip.ForceReplace),
		ServingWithin:  pick(d.Rand, 0, 5*time.Second, 30*time.Second),
		CoolDown:       pick(d.Rand, 10*time.Second, 30*time.Second, time.Minute),
		Deadline:       pick(d.Rand, 70*time.Second, 2*time.Minute, 5*time.Minute),
		MarkTTL:        pick(d.Rand, 3*time.Minute, 24*time.Hour, 24*time.Hour),
		Brake:          d.brake,
	}
	p.Region = regions[p.Cloud]
	p.Limit, p.InstanceType = pick(d.Rand, 1, 2, 2, 2), "EcsInstance"
	if p.Cloud == "baidu" {
		p.Limit, p.InstanceType = pick(d.Rand, 1, 2, 3, 5), "SERVER"
	}
	if d.coin(0.2) {
		p.InstanceType = map[string]string{"alibaba": "NetworkInterface", "baidu": "ENI"}[p.Cloud]
	}
	for i, at := range d.Perm(machines)[:1+d.IntN(4)] {
		if i == 0 && d.coin(0.04) {
			at = machines // in the other network
		}
		p.Members = append(p.Members, member(p, at))
	}
	p.Hold = 1 + d.IntN(min(3, p.Limit, len(p.Members)))
	return p
}

// address is the HAVIP of a policy, held by some of its members.
func (d *drawing) address(n int, p havip.Policy) simulator.HAVIP {
	h := simulator.HAVIP{ID: p.ID, IP: fmt.Sprintf("10.0.0.%d", n+1), Limit: p.Limit}
	h.VSwitch, h.Subnet = on(p.Cloud, "near")
	for _, m := range p.Members {
		if len(h.Holders) < p.Limit && m.Instance != machine(machines) && d.coin(0.6) {
			h.Holders = append(h.Holders, m.ID)
		}
	}
	return h
}

// state puts an instance into a state.
func (d *drawing) state(id string, at time.Duration, cloud, instance string, state havip.InstanceState) {
	d.upset(id, at, "instance "+string(state), func(r *run) {
		r.must(r.sim.SetInstance(cloud, instance, state))
	})
}

func (d *drawing) upset(id string, at time.Duration, what string, do func(*run)) {
	d.upsets = append(d.upsets, upset{id, at, what, do})
}

// drawUpset draws what goes wrong without an event.
func (d *drawing) drawUpset(id string, at time.Duration) {
	p := pick(d.Rand, d.policies...)
	m := pick(d.Rand, p.Members...)
	switch d.IntN(9) {
	case 8:
		d.upset(id, at, "frozen by hand", func(r *run) { r.freeze(p, time.Now().Add(time.Minute)) })
	case 0:
		d.state(id, at, p.Cloud, m.Instance, pick(d.Rand, havip.Stopped, havip.Starting, havip.Pending, havip.Stopping, havip.Deleted))
	case 1: // flapping
		for n := range 2 + d.IntN(4) {
			d.state(fmt.Sprintf("%s.%d", id, n), at+time.Duration(n)*d.upTo(10*time.Second), p.Cloud, m.Instance,
				[]havip.InstanceState{havip.Stopped, havip.Running}[n%2])
		}
	case 2:
		d.upset(id, at, "VRRP moves", func(r *run) { r.appoint(p, m.ID) })
	case 3:
		d.upset(id, at, "nobody announces", func(r *run) { r.appoint(p, "") })
		d.upset(id+"+", at+d.upTo(time.Minute), "VRRP moves", func(r *run) { r.appoint(p, m.ID) })
	case 4:
		status := pick[havip.Status](d.Rand, havip.Associating, havip.Unassociating, "Creating", "Deleting")
		d.upset(id, at, "third party: status "+string(status), func(r *run) { r.force(p, status) })
		d.upset(id+"+", at+d.upTo(40*time.Second), "third party: at rest", func(r *run) { r.rest(p) })
	case 5:
		force, token := d.coin(0.7), id
		if d.coin(0.5) {
			d.upset(id, at, "third party: detach", func(r *run) { r.byHand(p, havip.Call{Instance: m.ID, Force: force, Token: token}, havip.Detach) })
		} else {
			other := pick(d.Rand, m.ID, machine(d.IntN(machines)))
			d.upset(id, at, "third party: attach", func(r *run) { r.byHand(p, havip.Call{Instance: other, Token: token}, havip.Attach) })
		}
	default:
		d.drawFault(id, at, p.Cloud)
	}
}

func (r *run) appoint(p havip.Policy, id string) {
	_ = r.sim.SetHAVIP(p.Cloud, p.ID, simulator.HAVIPChange{Master: &id}) // it may not hold it, or not run
}

// force shows a status by hand, of a HAVIP that is at rest.
func (r *run) force(p havip.Policy, s havip.Status) {
	h, _ := r.sim.HAVIP(p.Cloud, p.ID)
	if h.Status != havip.Available && h.Status != havip.InUse {
		return
	}
	r.meddled(p)
	r.locked(func() { r.forced[p.ID] = true })
	r.must(r.sim.SetHAVIP(p.Cloud, p.ID, simulator.HAVIPChange{Status: &s}))
}

// rest shows again what the holders imply.
func (r *run) rest(p havip.Policy) {
	h, _ := r.sim.HAVIP(p.Cloud, p.ID)
	s := havip.Available
	if len(h.Holders) > 0 {
		s = havip.InUse
	}
	forced := false
	r.locked(func() { forced, r.forced[p.ID] = r.forced[p.ID], false })
	if forced {
		r.meddled(p)
		r.must(r.sim.SetHAVIP(p.Cloud, p.ID, simulator.HAVIPChange{Status: &s}))
	}
}

// hand is a person's way to the ledger, past all faults.
func (r *run) hand() havip.Keeper { return havip.Keeper{Ledger: r.store, Roster: r} }

func (r *run) freeze(p havip.Policy, until time.Time) {
	_, err := r.hand().Freeze(context.Background(), p.ID, havip.Freeze{Until: until, Actor: "somebody", Reason: "a drill"})
	r.must(err)
}

// byHand is a third party's call; what becomes of it is its own affair.
func (r *run) byHand(p havip.Policy, c havip.Call, verb havip.Step) {
	r.meddled(p)
	c.HAVIP, c.InstanceType = p.ID, p.InstanceType
	other := r.sim.Direct(p.Cloud, p.Region, otherKeys)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if verb == havip.Attach {
		_, _ = other.Attach(ctx, c)
	} else {
		_, _ = other.Detach(ctx, c)
	}
}
