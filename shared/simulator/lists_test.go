package simulator_test

import (
	"strings"
	"testing"

	"havip-functions/shared/simulator"
	"havip-functions/shared/simulator/worldfile"
)

// ids are the values under a key, anywhere in the answer and in order.
func (r reply) ids(list, key string) string {
	at := any(r.body)
	for step := range strings.SplitSeq(list, ".") {
		at = at.(map[string]any)[step]
	}
	var found []string
	for _, item := range at.([]any) {
		found = append(found, item.(map[string]any)[key].(string))
	}
	return strings.Join(found, " ")
}

func TestDescribeHaVips(t *testing.T) {
	_, c := rules(t)
	for _, tc := range []struct {
		pairs, ids, total string
	}{
		{"", "empty taken one two nic nics moving leaving raw guarded", "10"},
		{"PageSize 4", "empty taken one two", "10"},
		{"PageSize 4 PageNumber 3", "raw guarded", "10"},
		{"PageSize 4 PageNumber 4", "", "10"},
		{"Filter.1.Key HaVipId Filter.1.Value.1 two", "two", "1"},
		{"Filter.0.Key HaVipId Filter.0.Value.0 two Filter.0.Value.1 one", "one two", "2"},
		{"Filter.1.Key HaVipId Filter.1.Value two", "two", "1"},
		{"Filter.1.Key Status Filter.1.Value.1 Associating Filter.1.Value.2 Unassociating", "moving leaving", "2"},
		{"Filter.1.Key Status Filter.1.Value.1 InUse Filter.2.Key HaVipAddress Filter.2.Value.1 10.0.0.3", "two", "1"},
		{"Filter.1.Key VSwitchId Filter.1.Value.1 vsw-b", "", "0"},
		{"Filter.1.Key VpcId Filter.1.Value.1 vpc-1 PageSize 1", "empty", "10"},
		{"Filter.1.Key HaVipId Filter.1.Value.1 none", "", "0"},
	} {
		r := c.rpc("DescribeHaVips", strings.Fields(tc.pairs)...).want(t, 200, "")
		if got := r.ids("HaVips.HaVip", "HaVipId"); got != tc.ids || r.text("TotalCount") != tc.total {
			t.Errorf("%s: %s of %s, want %s of %s", tc.pairs, got, r.text("TotalCount"), tc.ids, tc.total)
		}
	}
	c.region = "cn-elsewhere"
	if r := c.rpc("DescribeHaVips").want(t, 200, ""); r.text("TotalCount") != "0" {
		t.Errorf("another account's region shows %s", r.Raw)
	}
	c.region = "cn-atlantis"
	c.rpc("DescribeHaVips").want(t, 404, "InvalidRegionId.NotFound")
}

func TestDescribeInstances(t *testing.T) {
	_, c := rules(t)
	for _, tc := range []struct{ key, value, ids string }{
		{"InstanceIds", `["i-2","i-none","i-1","i-gone"]`, "i-1 i-2"},
		{"Status", "Stopped", "i-2"},
		{"VSwitchId", "vsw-b", "i-far"},
		{"PageSize", "2", "i-1 i-2"},
	} {
		r := c.rpc("DescribeInstances", tc.key, tc.value).want(t, 200, "")
		if got := r.ids("Instances.Instance", "InstanceId"); got != tc.ids {
			t.Errorf("%s %s: %s, want %s", tc.key, tc.value, got, tc.ids)
		}
	}
	c.rpc("DescribeInstances", "InstanceIds", "i-1").want(t, 400, "InvalidParameter")
}

func TestDescribeNetworkInterfaces(t *testing.T) {
	_, c := rules(t)
	for _, tc := range []struct{ key, value, ids string }{
		{"NetworkInterfaceId.1", "eni-2", "eni-2"},
		{"InstanceId", "i-1", "eni-1 eni-1b"},
		{"Status", "Available", "eni-free"},
		{"PageSize", "1", "eni-1"},
	} {
		r := c.rpc("DescribeNetworkInterfaces", tc.key, tc.value).want(t, 200, "")
		if got := r.ids("NetworkInterfaceSets.NetworkInterfaceSet", "NetworkInterfaceId"); got != tc.ids {
			t.Errorf("%s %s: %s, want %s", tc.key, tc.value, got, tc.ids)
		}
	}
}

func TestBaiduLists(t *testing.T) {
	w, err := worldfile.Parse([]byte(`
baidu:
  - region: bj
    accessKeys: {testak: testsk}
    subnets: [{id: sbn-a, vpc: vpc-1}, {id: sbn-b, vpc: vpc-2}]
    instances: [{id: i-1, subnet: sbn-a}, {id: i-2, subnet: sbn-a, state: Pending}, {id: i-3, subnet: sbn-b, state: Deleted}]
    havips: [{id: h-1, subnet: sbn-a, ip: 10.0.0.1}, {id: h-2, subnet: sbn-b, ip: 10.0.0.2}, {id: h-3, subnet: sbn-a, ip: 10.0.0.3}]
  - region: gz
    accessKeys: {testak: testsk}
    subnets: [{id: sbn-g, vpc: vpc-g}]
    havips: [{id: h-g, subnet: sbn-g, ip: 10.0.0.1}]
`))
	if err != nil {
		t.Fatal(err)
	}
	_, c := start(t, simulator.Options{World: w})
	for _, tc := range []struct{ host, path, body, list, key, ids, next string }{
		{"baidu.sim", "/v1/havip", "", "haVips", "haVipId", "h-1 h-2 h-3 h-g", ""},
		{"bcc.gz.baidubce.com", "/v1/havip", "", "haVips", "haVipId", "h-g", ""},
		{"bcc.bj.baidubce.com", "/v1/havip?vpcId=vpc-1", "", "haVips", "haVipId", "h-1 h-3", ""},
		{"bcc.bj.baidubce.com", "/v1/havip?maxKeys=2", "", "haVips", "haVipId", "h-1 h-2", "h-3"},
		{"bcc.bj.baidubce.com", "/v1/havip?maxKeys=2&marker=h-3", "", "haVips", "haVipId", "h-3", ""},
		{"baidu.sim", "/v2/instance", "", "instances", "id", "i-1 i-2", ""},
		{"baidu.sim", "/v2/instance?instanceIds=i-2,i-3", "", "instances", "id", "i-2", ""},
		{"baidu.sim", "/v2/instance/listByInstanceId", `{"instanceIds":["i-1","i-9"]}`, "instances", "id", "i-1", ""},
	} {
		c.baidu = "http://" + tc.host
		method := "GET"
		if tc.body != "" {
			method = "POST"
		}
		r := c.rest(method, tc.path, tc.body).want(t, 200, "")
		if got := r.ids(tc.list, tc.key); got != tc.ids || r.text("nextMarker") != tc.next {
			t.Errorf("%s%s: %s, next %s, want %s, next %s", tc.host, tc.path, got, r.text("nextMarker"), tc.ids, tc.next)
		}
	}
	c.rest("GET", "/v1/havip?marker=none", "").want(t, 404, "NoSuchObject")
	if r := c.rest("GET", "/v2/instance?instanceIds=i-2", ""); r.text("instances.0.status") != "Starting" {
		t.Errorf("a pending instance is %s", r.Raw)
	}
}
