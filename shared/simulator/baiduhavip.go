package simulator

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"havip-functions/shared/havip"
)

// baiduHaVip is a HAVIP as Baidu answers it.
type baiduHaVip struct {
	HaVipID          string           `json:"haVipId"`
	Name             string           `json:"name"`
	Description      string           `json:"description"`
	VpcID            string           `json:"vpcId"`
	SubnetID         string           `json:"subnetId"`
	Status           string           `json:"status"`
	PrivateIPAddress string           `json:"privateIpAddress"`
	PublicIPAddress  string           `json:"publicIpAddress,omitempty"`
	BindedInstances  []bindedInstance `json:"bindedInstances"`
	CreatedTime      string           `json:"createdTime"`
}

type bindedInstance struct {
	InstanceID   string `json:"instanceId"`
	InstanceType string `json:"instanceType"`
	Master       bool   `json:"master"`
}

// baiduHaVip shows no state between: what is under way shows once it is done.
func (a *address) baiduHaVip() baiduHaVip {
	h := baiduHaVip{
		HaVipID: a.id, VpcID: a.realm.vpcs[a.network], SubnetID: a.network, PrivateIPAddress: a.ip,
		Status: "available", BindedInstances: []bindedInstance{},
		CreatedTime: a.realm.created.UTC().Format("2006-01-02T15:04:05Z"),
	}
	shown := a.implied()
	if a.forced == havip.Available || a.forced == havip.InUse {
		shown = a.forced
	}
	if shown == havip.InUse {
		h.Status = "bound"
	}
	for _, holder := range a.holders {
		kind := "SERVER"
		if _, ok := a.realm.interfaces[holder]; ok {
			kind = "ENI"
		}
		h.BindedInstances = append(h.BindedInstances, bindedInstance{holder, kind, holder == a.master})
	}
	return h
}

// place finds the realm of a HAVIP among the caller's, or the first of them.
func (q *request) place() *realm {
	r := q.realms[0]
	for _, other := range q.realms {
		if other.addresses[q.call.HAVIP] != nil {
			r = other
		}
	}
	q.call.Region = r.spec.Region
	return r
}

func (s *Simulator) getHaVip(q *request) (any, *refusal) {
	a := q.place().addresses[q.call.HAVIP]
	if a == nil {
		return nil, baiduRefusal("NoSuchObject")
	}
	a.settle(time.Now())
	return a.baiduHaVip(), nil
}

// bindHaVip is attach and detach. Its answer has no body.
func (s *Simulator) bindHaVip(q *request) (any, *refusal) {
	if !tokenAllowed(q.call.ClientToken) {
		return nil, baiduRefusal("InvalidClientToken")
	}
	kind := q.params["instanceType"]
	if n := len(q.call.Instances); n < 1 || n > 5 || slices.Contains(q.call.Instances, "") || kind != "SERVER" && kind != "ENI" {
		return nil, baiduRefusal("InappropriateJSON")
	}
	b := s.change(q, q.place(), change{
		detach:     q.call.Operation == "DetachHaVip",
		targets:    q.call.Instances,
		interfaces: kind == "ENI",
		stuck:      q.faults.stuck,
	})
	if b != kept {
		return nil, baiduRefusal(baiduBreachCodes[b])
	}
	return nil, nil
}

// window is the part of a list that marker and maxKeys ask for.
type window struct {
	Marker      string `json:"marker"`
	IsTruncated bool   `json:"isTruncated"`
	NextMarker  string `json:"nextMarker"`
	MaxKeys     int    `json:"maxKeys"`
}

type haVipsWindow struct {
	HaVips []baiduHaVip `json:"haVips"`
	window
}

func (s *Simulator) listHaVips(q *request) (any, *refusal) {
	var all []*address
	for _, r := range q.realms {
		all = append(all, r.addressOrder...)
	}
	all = slices.DeleteFunc(all, func(a *address) bool {
		return !matches(q.params["vpcId"], a.realm.vpcs[a.network])
	})
	part, w, why := cut(q, all, func(a *address) string { return a.id })
	list := haVipsWindow{HaVips: []baiduHaVip{}, window: w}
	for _, a := range part {
		a.settle(time.Now())
		list.HaVips = append(list.HaVips, a.baiduHaVip())
	}
	return list, why
}

// cut takes the part of a list that begins at the marker; the answer's
// nextMarker is the first id of the next part.
func cut[T any](q *request, all []T, id func(T) string) (part []T, w window, why *refusal) {
	most, err := strconv.Atoi(cmp.Or(q.params["maxKeys"], "1000"))
	if err != nil || most < 1 || most > 1000 {
		return nil, w, baiduRefusal("InappropriateJSON")
	}
	w.Marker, w.MaxKeys = q.params["marker"], most
	if w.Marker != "" {
		at := slices.IndexFunc(all, func(t T) bool { return id(t) == w.Marker })
		if at < 0 {
			return nil, w, baiduRefusal("NoSuchObject")
		}
		all = all[at:]
	}
	if len(all) > most {
		w.IsTruncated, w.NextMarker = true, id(all[most])
		all = all[:most]
	}
	return all, w, nil
}

// instancesWindow is a part of BCC's instance list.
type instancesWindow struct {
	Instances []bccInstance `json:"instances"`
	window
}

type bccInstance struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Status   string `json:"status"`
	SubnetID string `json:"subnetId"`
	VpcID    string `json:"vpcId"`
}

// listInstances answers both of BCC's lists: by query, ids joined with commas,
// and by ids in a body.
func (s *Simulator) listInstances(q *request) (any, *refusal) {
	ids, why := q.wantedInstances()
	if why != nil {
		return nil, why
	}
	var all []*instance
	for _, r := range q.realms {
		all = append(all, r.instanceOrder...)
	}
	all = slices.DeleteFunc(all, func(i *instance) bool {
		return i.state == havip.Deleted || len(ids) > 0 && !slices.Contains(ids, i.id) ||
			!matches(q.params["status"], string(i.state)) || !matches(q.params["vpcId"], i.realm.vpcs[i.network])
	})
	part, w, why := cut(q, all, func(i *instance) string { return i.id })
	list := instancesWindow{Instances: []bccInstance{}, window: w}
	for _, i := range part {
		list.Instances = append(list.Instances, bccInstance{i.id, i.id, bccStatus(i.state), i.network, i.realm.vpcs[i.network]})
	}
	return list, why
}

func (q *request) wantedInstances() (ids []string, why *refusal) {
	if text := q.params["instanceIds"]; text != "" {
		ids = strings.Split(text, ",")
	}
	if len(q.body) > 0 {
		var b binding
		if err := json.Unmarshal(q.body, &b); err != nil {
			return nil, baiduRefusal("MalformedJSON")
		}
		ids = append(ids, b.InstanceIDs...)
	}
	q.call.Instances = append([]string{}, ids...)
	return ids, nil
}

// bccStatus is an instance's state in BCC's words, which have no Pending.
func bccStatus(s havip.InstanceState) string {
	if s == havip.Pending {
		return "Starting"
	}
	return string(s)
}
