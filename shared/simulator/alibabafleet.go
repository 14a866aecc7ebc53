package simulator

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"havip-functions/shared/havip"
)

// page is the part of a list that a call asks for.
type page struct{ number, size int }

func (p page) holds(i int) bool { return i/p.size == p.number-1 }

// page reads PageNumber and PageSize; a size beyond most is refused.
func (q *request) page(most int) (page, *refusal) {
	number, err1 := strconv.Atoi(cmp.Or(q.params["PageNumber"], "1"))
	size, err2 := strconv.Atoi(cmp.Or(q.params["PageSize"], "10"))
	if err1 != nil || err2 != nil || number < 1 || size < 1 || size > most {
		return page{}, alibabaRefusal("InvalidParameter").with("The specified PageNumber or PageSize is not valid; PageSize is at most " + strconv.Itoa(most) + ".")
	}
	return page{number, size}, nil
}

// The answer of DescribeInstances, as far as HAVIPs are concerned.
type instancesAnswer struct {
	RequestID  string `json:"RequestId"`
	TotalCount int
	PageNumber int
	PageSize   int
	Instances  struct{ Instance []ecsInstance }
}

type ecsInstance struct {
	InstanceID    string `json:"InstanceId"`
	InstanceName  string
	Status        string
	RegionID      string `json:"RegionId"`
	VpcAttributes struct {
		VpcID     string `json:"VpcId"`
		VSwitchID string `json:"VSwitchId"`
	}
}

func (s *Simulator) describeInstances(q *request) (any, *refusal) {
	r, why := s.region(q)
	if why != nil {
		return nil, why
	}
	p, why := q.page(100)
	if why != nil {
		return nil, why
	}
	var ids []string
	if text := q.params["InstanceIds"]; text != "" {
		if err := json.Unmarshal([]byte(text), &ids); err != nil || len(ids) > 100 {
			return nil, alibabaRefusal("InvalidParameter").with("The specified InstanceIds is not valid: a JSON array of at most 100 ids.")
		}
	}
	answer := instancesAnswer{RequestID: q.call.RequestID, PageNumber: p.number, PageSize: p.size}
	answer.Instances.Instance = []ecsInstance{}
	if r == nil {
		return answer, nil
	}
	for _, i := range r.instanceOrder {
		if !i.picked(ids, q.params) {
			continue
		}
		if p.holds(answer.TotalCount) {
			answer.Instances.Instance = append(answer.Instances.Instance, i.ecsInstance())
		}
		answer.TotalCount++
	}
	return answer, nil
}

func (i *instance) picked(ids []string, params map[string]string) bool {
	return i.state != havip.Deleted &&
		(len(ids) == 0 || slices.Contains(ids, i.id)) &&
		matches(params["Status"], string(i.state)) &&
		matches(params["VSwitchId"], i.network) &&
		matches(params["VpcId"], i.realm.vpcs[i.network])
}

func matches(want, have string) bool { return want == "" || want == have }

func (i *instance) ecsInstance() ecsInstance {
	e := ecsInstance{InstanceID: i.id, InstanceName: i.id, Status: string(i.state), RegionID: i.realm.spec.Region}
	e.VpcAttributes.VSwitchID = i.network
	e.VpcAttributes.VpcID = i.realm.vpcs[i.network]
	return e
}

// The answer of DescribeNetworkInterfaces, likewise.
type interfacesAnswer struct {
	RequestID            string `json:"RequestId"`
	TotalCount           int
	PageNumber           int
	PageSize             int
	NextToken            string
	NetworkInterfaceSets struct{ NetworkInterfaceSet []ecsInterface }
}

type ecsInterface struct {
	NetworkInterfaceID string `json:"NetworkInterfaceId"`
	InstanceID         string `json:"InstanceId"`
	Status             string
	Type               string
	VSwitchID          string `json:"VSwitchId"`
	VpcID              string `json:"VpcId"`
}

func (s *Simulator) describeNetworkInterfaces(q *request) (any, *refusal) {
	r, why := s.region(q)
	if why != nil {
		return nil, why
	}
	p, why := q.page(500)
	if why != nil {
		return nil, why
	}
	answer := interfacesAnswer{RequestID: q.call.RequestID, PageNumber: p.number, PageSize: p.size}
	answer.NetworkInterfaceSets.NetworkInterfaceSet = []ecsInterface{}
	if r == nil {
		return answer, nil
	}
	ids := q.list("NetworkInterfaceId.")
	for _, n := range r.interfaceOrder {
		e := r.ecsInterface(n)
		if len(ids) > 0 && !slices.Contains(ids, n.id) || !matches(q.params["InstanceId"], e.InstanceID) || !matches(q.params["Status"], e.Status) {
			continue
		}
		if p.holds(answer.TotalCount) {
			answer.NetworkInterfaceSets.NetworkInterfaceSet = append(answer.NetworkInterfaceSets.NetworkInterfaceSet, e)
		}
		answer.TotalCount++
	}
	return answer, nil
}

func (r *realm) ecsInterface(n *nic) ecsInterface {
	e := ecsInterface{NetworkInterfaceID: n.id, Status: "Available", Type: "Secondary", VSwitchID: n.network, VpcID: r.vpcs[n.network]}
	if host := r.host(n.id); host != nil {
		e.InstanceID, e.Status = host.id, "InUse"
	}
	return e
}

// list collects Name.1, Name.2, …
func (q *request) list(prefix string) []string {
	var values []string
	for k, v := range q.params {
		if strings.HasPrefix(k, prefix) {
			values = append(values, v)
		}
	}
	return values
}
