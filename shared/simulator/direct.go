package simulator

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"havip-functions/shared/havip"
)

// Direct is one account's HAVIPs of one region without a wire: the same world,
// rules, codes, faults and record of calls as behind the two dialects, at a
// fraction of the cost. It is for tests that make thousands of calls, such as the
// simulation of the whole flow, which would otherwise spend their time on
// signatures and JSON; nothing that is deployed opens one. It says of a failure
// what the cloud's adapter says, and a test compares the two on every code.
type Direct struct {
	s       *Simulator
	dialect dialect
	names   directNames
	region  string
	keys    havip.Credentials
}

var (
	_ havip.Cloud = (*Direct)(nil)
	_ havip.Fleet = (*Direct)(nil)
)

// directNames are a cloud's names of what Direct does.
type directNames struct {
	get, list, attach, detach, states string

	instanceType string // the parameter
	guards       bool
	change       func(*Simulator, *request) (any, *refusal)
}

var directOf = map[string]struct {
	dialect *dialect
	names   directNames
}{
	"alibaba": {&alibaba, directNames{
		"DescribeHaVips", "DescribeHaVips", "AssociateHaVip", "UnassociateHaVip", "DescribeInstances",
		"InstanceType", true, (*Simulator).changeHaVip,
	}},
	"baidu": {&baidu, directNames{
		"GetHaVip", "ListHaVips", "AttachHaVip", "DetachHaVip", "ListInstances",
		"instanceType", false, (*Simulator).bindHaVip,
	}},
}

// Direct opens the region of an account of alibaba or baidu. What is wrong with
// region or keys shows in the first call.
func (s *Simulator) Direct(cloud, region string, keys havip.Credentials) *Direct {
	of := directOf[cloud]
	d := &Direct{s: s, names: of.names, region: region, keys: keys}
	d.dialect = *of.dialect
	d.dialect.problem = func(*request, *refusal) any { return nil }
	return d
}

// Get implements [havip.Cloud].
func (d *Direct) Get(ctx context.Context, id string) (have havip.HAVIP, err error) {
	_, err = d.call(ctx, Call{Operation: d.names.get, HAVIP: id}, func(_ *Simulator, q *request) (any, *refusal) {
		a := q.within(d.region).addresses[id]
		if a == nil {
			return nil, d.unknown()
		}
		have = d.show(a)
		return nil, nil
	})
	return have, err
}

// List implements [havip.Fleet].
func (d *Direct) List(ctx context.Context) (all []havip.HAVIP, err error) {
	_, err = d.call(ctx, Call{Operation: d.names.list}, func(_ *Simulator, q *request) (any, *refusal) {
		for _, a := range q.within(d.region).addressOrder {
			all = append(all, d.show(a))
		}
		return nil, nil
	})
	return all, err
}

// States implements [havip.Fleet].
func (d *Direct) States(ctx context.Context, ids []string) (map[string]havip.InstanceState, error) {
	states := map[string]havip.InstanceState{}
	if len(ids) == 0 {
		return states, nil
	}
	_, err := d.call(ctx, Call{Operation: d.names.states, Instances: ids}, func(_ *Simulator, q *request) (any, *refusal) {
		r := q.within(d.region)
		for _, id := range ids {
			switch _, isInterface := r.interfaces[id]; {
			case r.host(id) != nil:
				states[id] = r.host(id).state
			case !isInterface:
				states[id] = havip.Deleted
			}
		}
		return nil, nil
	})
	return states, err
}

// Attach implements [havip.Cloud].
func (d *Direct) Attach(ctx context.Context, c havip.Call) (havip.Receipt, error) {
	return d.change(ctx, d.names.attach, c)
}

// Detach implements [havip.Cloud].
func (d *Direct) Detach(ctx context.Context, c havip.Call) (havip.Receipt, error) {
	return d.change(ctx, d.names.detach, c)
}

// change makes a mutating call and reads back a no that may say "it is so".
func (d *Direct) change(ctx context.Context, op string, c havip.Call) (havip.Receipt, error) {
	id, err := d.call(ctx, Call{
		Operation: op, HAVIP: c.HAVIP, Instances: []string{c.Instance}, ClientToken: c.Token,
		Params: d.params(op, c),
	}, d.names.change)
	if err != nil && slices.Contains(alreadyCodes, err.(*havip.Error).Code) { //nolint:errorlint,forcetypeassert // it is our own
		have, unread := d.Get(ctx, c.HAVIP)
		if errors.Is(unread, havip.ErrBusy) {
			return havip.Receipt{}, unread
		}
		if unread == nil && have.On(c.Instance) == (op == d.names.attach) {
			return havip.Receipt{RequestID: id}, nil
		}
	}
	return havip.Receipt{RequestID: id}, err
}

func (d *Direct) params(op string, c havip.Call) map[string]string {
	params := map[string]string{"RegionId": d.region, d.names.instanceType: c.InstanceType}
	if c.Force && op == d.names.detach && d.names.guards {
		params["Force"] = "True"
	}
	return params
}

// call takes a call to its answer as [Simulator.answer] does, but for the wire.
func (d *Direct) call(ctx context.Context, c Call, perform func(*Simulator, *request) (any, *refusal)) (string, error) {
	if ctx.Err() != nil {
		return "", given(ctx, c.Operation, false)
	}
	c.Instances = append([]string{}, c.Instances...) // never null in /calls
	q := &request{http: (&http.Request{}).WithContext(ctx), params: map[string]string{}, at: time.Now(), call: c}
	maps.Copy(q.params, c.Params)
	q.call.Time, q.call.Cloud, q.call.Region = q.at.UTC(), d.dialect.cloud, d.region
	why := d.verify(q)
	if why == nil {
		q.faults = d.s.drawFaults(q)
		pause(ctx, q.faults.delay)
	}
	how := d.dialect
	how.perform = perform
	d.s.settle(&how, q, why)
	pause(ctx, q.faults.slowBody)
	return q.call.RequestID, d.judge(ctx, q)
}

func (d *Direct) verify(q *request) *refusal {
	c, known := d.s.credential(d.dialect.cloud, d.keys.AccessKeyID)
	if !known || c.secret != d.keys.AccessKeySecret {
		return &refusal{http.StatusForbidden, "InvalidAccessKeyId", "no such access key"}
	}
	q.realms, q.call.AccessKeyID = c.realms, d.keys.AccessKeyID
	return nil
}

// within is the caller's realm in a region; an empty one where it has none.
func (q *request) within(region string) *realm {
	for _, r := range q.realms {
		if r.spec.Region == region {
			return r
		}
	}
	return &realm{}
}

func (d *Direct) unknown() *refusal {
	why := d.dialect.known(map[bool]string{true: "InvalidHaVipId.NotFound", false: "NoSuchObject"}[d.names.guards])
	return &why
}

// show reads a HAVIP as the cloud's own answer shows it.
func (d *Direct) show(a *address) havip.HAVIP {
	a.settle(time.Now())
	have := havip.HAVIP{ID: a.id, Address: a.ip, Network: a.network, Holders: slices.Clone(a.holders), Guards: d.names.guards}
	if d.names.guards {
		have.Status = a.status()
	} else if have.Status = havip.Available; a.baiduHaVip().Status == "bound" {
		have.Status = havip.InUse
	}
	if len(a.holders) > 0 {
		have.Type = a.kind(d.names)
	}
	if have.On(a.master) || d.names.guards { // Baidu marks the master among the holders
		have.Announcer = a.named()
	}
	if have.On(have.Announcer) {
		have.Serving = have.Announcer
	}
	return have
}

func (a *address) kind(names directNames) string {
	_, byInterface := a.realm.interfaces[a.holders[0]]
	switch {
	case names.guards && byInterface:
		return "NetworkInterface"
	case names.guards:
		return "EcsInstance"
	case byInterface:
		return "ENI"
	default:
		return "SERVER"
	}
}
