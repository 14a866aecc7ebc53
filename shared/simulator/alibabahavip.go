package simulator

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// region finds the caller's realm in the region that the call names; one that
// the account has nothing in is nil.
func (s *Simulator) region(q *request) (*realm, *refusal) {
	for _, r := range q.realms {
		if r.spec.Region == q.params["RegionId"] {
			return r, nil
		}
	}
	for _, r := range s.world.realms["alibaba"] {
		if r.spec.Region == q.params["RegionId"] {
			return nil, nil
		}
	}
	return nil, alibabaRefusal("InvalidRegionId.NotFound")
}

// changeHaVip is AssociateHaVip and UnassociateHaVip.
func (s *Simulator) changeHaVip(q *request) (any, *refusal) {
	r, why := s.region(q)
	if why != nil {
		return nil, why
	}
	if !tokenAllowed(q.call.ClientToken) {
		return nil, alibabaRefusal("InvalidClientToken.Malformed")
	}
	c, why := q.havipChange()
	if why != nil {
		return nil, why
	}
	if r == nil {
		return nil, alibabaRefusal("InvalidHaVipId.NotFound")
	}
	b := s.change(q, r, c)
	if b != kept {
		why := alibabaRefusal(breachCodes[b])
		if b == foreignInstance {
			// The vendor's own message carries the id and the request.
			why = why.with(why.message + " " + q.params["InstanceId"] + "\r\nRequestId : " + q.call.RequestID)
		}
		return nil, why
	}
	return map[string]string{"RequestId": q.call.RequestID}, nil
}

// havipChange reads what the call asks for.
func (q *request) havipChange() (change, *refusal) {
	c := change{
		detach:  q.call.Operation == "UnassociateHaVip",
		targets: q.call.Instances,
		force:   strings.EqualFold(q.params["Force"], "true"),
		stuck:   q.faults.stuck,
	}
	switch q.params["InstanceType"] {
	case "", "EcsInstance":
	case "NetworkInterface":
		c.interfaces = true
	default:
		return c, alibabaRefusal("IllegalParam.InstanceType")
	}
	return c, nil
}

// The answer of DescribeHaVips, with the vendor's own spellings.
type haVipsAnswer struct {
	RequestID  string `json:"RequestId"`
	TotalCount int
	PageNumber int
	PageSize   int
	HaVips     struct{ HaVip []haVip }
}

type haVip struct {
	HaVipID                string `json:"HaVipId"`
	Status                 string
	IPAddress              string `json:"IpAddress"`
	RegionID               string `json:"RegionId"`
	VpcID                  string `json:"VpcId"`
	VSwitchID              string `json:"VSwitchId"`
	Name                   string
	Description            string
	AssociatedInstanceType string
	MasterInstanceID       string `json:"MasterInstanceId"`
	CreateTime             string
	ChargeType             string
	ResourceGroupID        string `json:"ResourceGroupId"`
	AssociatedInstances    struct {
		AssociatedInstance []string `json:"associatedInstance"`
	}
	AssociatedEipAddresses struct {
		AssociatedEipAddresse []string `json:"associatedEipAddresse"`
	}
	Tags struct{ Tag []string }
}

func (s *Simulator) describeHaVips(q *request) (any, *refusal) {
	r, why := s.region(q)
	if why != nil {
		return nil, why
	}
	filters, why := q.filters()
	if why != nil {
		return nil, why
	}
	p, why := q.page(50)
	if why != nil {
		return nil, why
	}
	answer := haVipsAnswer{RequestID: q.call.RequestID, PageNumber: p.number, PageSize: p.size}
	answer.HaVips.HaVip = []haVip{}
	if r == nil {
		return answer, nil
	}
	for _, a := range filters.among(r) {
		a.settle(time.Now())
		if !filters.pick(a) {
			continue
		}
		if p.holds(answer.TotalCount) {
			answer.HaVips.HaVip = append(answer.HaVips.HaVip, a.haVip())
		}
		answer.TotalCount++
	}
	return answer, nil
}

func (a *address) haVip() haVip {
	h := haVip{
		HaVipID: a.id, Status: string(a.status()), IPAddress: a.ip, RegionID: a.realm.spec.Region,
		VpcID: a.realm.vpcs[a.network], VSwitchID: a.network, ChargeType: "PostPaid",
		MasterInstanceID: a.named(), CreateTime: a.realm.created.UTC().Format("2006-01-02T15:04:05Z"),
	}
	h.AssociatedInstances.AssociatedInstance = append([]string{}, a.holders...)
	h.AssociatedEipAddresses.AssociatedEipAddresse = []string{}
	h.Tags.Tag = []string{}
	if len(a.holders) > 0 {
		h.AssociatedInstanceType = "EcsInstance"
		if _, ok := a.realm.interfaces[a.holders[0]]; ok {
			h.AssociatedInstanceType = "NetworkInterface"
		}
	}
	return h
}

// filterKeys are what DescribeHaVips can be filtered by.
var filterKeys = map[string]func(*address) string{
	"HaVipId":      func(a *address) string { return a.id },
	"VpcId":        func(a *address) string { return a.realm.vpcs[a.network] },
	"VSwitchId":    func(a *address) string { return a.network },
	"Status":       func(a *address) string { return string(a.status()) },
	"HaVipAddress": func(a *address) string { return a.ip },
}

// havipFilters are the values by the number of their filter: any within one
// filter, all filters.
type havipFilters map[string]*havipFilter

type havipFilter struct {
	key    string
	values []string
}

// filters reads Filter.N.Key and Filter.N.Value.M, whatever N and M count from.
func (q *request) filters() (havipFilters, *refusal) {
	filters := havipFilters{}
	for _, name := range slices.Sorted(maps.Keys(q.params)) {
		rest, ok := strings.CutPrefix(name, "Filter.")
		n, field, _ := strings.Cut(rest, ".")
		if !ok || q.params[name] == "" {
			continue
		}
		if filters[n] == nil {
			filters[n] = &havipFilter{}
		}
		if field == "Key" {
			filters[n].key = q.params[name]
		} else if strings.HasPrefix(field, "Value") {
			filters[n].values = append(filters[n].values, q.params[name])
		}
	}
	for _, f := range filters {
		if filterKeys[f.key] == nil || len(f.values) == 0 || len(f.values) > 5 {
			return nil, alibabaRefusal("InvalidParameter").with("The specified Filter is not valid: a key of HaVipId, VpcId, VSwitchId, Status, HaVipAddress and 1 to 5 values.")
		}
	}
	return filters, nil
}

// among are those that may be picked: who names one has not to wait for all the others.
func (fs havipFilters) among(r *realm) []*address {
	for _, f := range fs {
		if f.key != "HaVipId" || len(f.values) != 1 {
			continue
		}
		if a := r.addresses[f.values[0]]; a != nil {
			return []*address{a}
		}
		return nil
	}
	return r.addressOrder
}

func (fs havipFilters) pick(a *address) bool {
	for _, f := range fs {
		if !slices.Contains(f.values, filterKeys[f.key](a)) {
			return false
		}
	}
	return true
}
