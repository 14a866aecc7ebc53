package simulator_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
	"havip-functions/shared/simulator/worldfile"
)

// Every way to be refused that the vendor's pages name has its state here.
const rulesWorld = `
alibaba:
  - region: cn-hangzhou
    accessKeys: {testak: testsk}
    havipsPerInstance: 1
    vswitches: [{id: vsw-a, vpc: vpc-1}, {id: vsw-b, vpc: vpc-1}]
    instances:
      - {id: i-1, vswitch: vsw-a}
      - {id: i-2, vswitch: vsw-a, state: Stopped}
      - {id: i-3, vswitch: vsw-a}
      - {id: i-far, vswitch: vsw-b}
      - {id: i-starting, vswitch: vsw-a, state: Starting}
      - {id: i-gone, vswitch: vsw-a, state: Deleted}
      - {id: i-busy, vswitch: vsw-a}
    interfaces:
      - {id: eni-1, vswitch: vsw-a, instance: i-1}
      - {id: eni-1b, vswitch: vsw-a, instance: i-1}
      - {id: eni-2, vswitch: vsw-a, instance: i-2}
      - {id: eni-3, vswitch: vsw-a, instance: i-3}
      - {id: eni-free, vswitch: vsw-a}
    havips:
      - {id: empty, vswitch: vsw-a, ip: 10.0.0.1}
      - {id: taken, vswitch: vsw-a, ip: 10.0.0.9, holders: [i-busy]}
      - {id: one, vswitch: vsw-a, ip: 10.0.0.2, holders: [i-1]}
      - {id: two, vswitch: vsw-a, ip: 10.0.0.3, holders: [i-1, i-2]}
      - {id: nic, vswitch: vsw-a, ip: 10.0.0.4, holders: [eni-1]}
      - {id: nics, vswitch: vsw-a, ip: 10.0.0.5, holders: [eni-1, eni-2]}
      - {id: moving, vswitch: vsw-a, ip: 10.0.0.6, status: Associating}
      - {id: leaving, vswitch: vsw-a, ip: 10.0.0.7, status: Unassociating}
      - {id: raw, vswitch: vsw-a, ip: 10.0.0.8, status: Creating}
      - {id: guarded, vswitch: vsw-a, ip: 10.0.0.10, holders: [i-3, i-starting]}
  - region: cn-shanghai
    accessKeys: {testak: testsk}
    noInterfaceBinding: true
    vswitches: [{id: vsw-s, vpc: vpc-2}]
    instances: [{id: i-s, vswitch: vsw-s}]
    interfaces: [{id: eni-s, vswitch: vsw-s, instance: i-s}]
    havips: [{id: far, vswitch: vsw-s, ip: 10.1.0.1}]
  - region: cn-beijing
    accessKeys: {testak: testsk}
    noHAVIPPrivilege: true
    vswitches: [{id: vsw-z, vpc: vpc-3}]
    instances: [{id: i-z, vswitch: vsw-z}]
    havips: [{id: denied, vswitch: vsw-z, ip: 10.2.0.1}]
  - region: cn-elsewhere
    accessKeys: {otherak: othersk}
`

func rules(t *testing.T) (*simulator.Simulator, *client) {
	t.Helper()
	w, err := worldfile.Parse([]byte(rulesWorld))
	if err != nil {
		t.Fatal(err)
	}
	return start(t, simulator.Options{World: w})
}

// associateCases lead to each code by a state of the world.
var associateCases = []struct {
	code, region, havip, instance, kind string
}{
	{"OperationUnsupported.BindOnFreeNetworkInterface", "cn-hangzhou", "empty", "eni-free", "NetworkInterface"},
	{"OperationUnsupported.BindMultipleType", "cn-hangzhou", "one", "eni-3", "NetworkInterface"},
	{"OperationUnsupported.BindMultipleType", "cn-hangzhou", "nic", "i-3", "EcsInstance"},
	{"OperationUnsupported.BindOnMultipleVswitch", "cn-hangzhou", "empty", "i-far", ""},
	{"InvalidVip.Status", "cn-hangzhou", "raw", "i-3", ""},
	{"IncorrectHaVipStatus", "cn-hangzhou", "moving", "i-3", ""},
	{"IncorrectHaVipStatus", "cn-hangzhou", "leaving", "i-3", ""},
	{"IncorrectInstanceStatus", "cn-hangzhou", "empty", "i-starting", ""},
	{"CountLimitExceed.HaVipOnInstance", "cn-hangzhou", "empty", "i-busy", ""},
	{"CountLimitExceeded.HaVipOnECSInstance", "cn-hangzhou", "two", "i-3", ""},
	{"InvalidNetworkInterfaceId.NotFound", "cn-hangzhou", "empty", "eni-9", "NetworkInterface"},
	{"InvalidNetworkInterfaceId.NotFound", "cn-hangzhou", "empty", "i-1", "NetworkInterface"},
	{"IllegalParam.InstanceType", "cn-hangzhou", "empty", "i-3", "Toaster"},
	{"OperationUnsupported.BindOnSameEcs", "cn-hangzhou", "nic", "eni-1b", "NetworkInterface"},
	{"OperationUnsupported.HavipBindType", "cn-shanghai", "far", "eni-s", "NetworkInterface"},
	{"InvalidInstance.NotExist", "cn-hangzhou", "empty", "i-s", ""},
	{"OperationDenied.BindOnSameEcs", "cn-hangzhou", "one", "eni-1", "NetworkInterface"},
	{"OperationDenied.BindOnSameEcs", "cn-hangzhou", "nic", "i-1", ""},
	{"Forbidden.HaVip", "cn-beijing", "denied", "i-z", ""},
	{"InvalidInstanceId.NotFound", "cn-hangzhou", "empty", "i-9", ""},
	{"InvalidInstanceId.NotFound", "cn-hangzhou", "empty", "eni-1", ""},
	{"ResourceNotFound.EcsInstance", "cn-hangzhou", "empty", "i-gone", ""},
	{"InvalidHaVip.Exist", "cn-hangzhou", "one", "i-1", ""},
	{"InvalidRegionId.NotFound", "cn-atlantis", "empty", "i-3", ""},
	{"InvalidHaVipId.NotFound", "cn-hangzhou", "none", "i-3", ""},
	{"InvalidHaVipId.NotFound", "cn-hangzhou", "far", "i-3", ""},
	{"InvalidHaVipId.NotFound", "cn-elsewhere", "empty", "i-3", ""},
	{"QuotaExceeded.HaVipBindInstance", "cn-hangzhou", "nics", "eni-3", "NetworkInterface"},
}

// vendorRows are the table of errors on the vendor's page, each row's status,
// code, message and description run together as the page has them.
func vendorRows(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("testdata/associatehavip.txt")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(page)), "\n")
	if len(rows) != 23 {
		t.Fatalf("the page has %d codes, want 23", len(rows))
	}
	return rows
}

// row finds the row of an answer, spelt exactly so. What the vendor's message
// says of its own example is cut off.
func row(rows []string, r reply) int {
	message, _, _ := strings.Cut(r.Message, " i-")
	return slices.IndexFunc(rows, func(row string) bool {
		return strings.HasPrefix(row, fmt.Sprint(r.Status)+r.Code+message)
	})
}

func TestAssociateReachesEveryCode(t *testing.T) {
	for _, acs3 := range []bool{false, true} {
		s, c := rules(t)
		c.acs3 = acs3
		rows := vendorRows(t)
		reached := map[int]bool{}
		for _, tc := range associateCases {
			before := s.World()
			c.region = tc.region
			r := c.rpc("AssociateHaVip", "HaVipId", tc.havip, "InstanceId", tc.instance, "InstanceType", tc.kind)
			if r.Code != tc.code || row(rows, r) < 0 {
				t.Errorf("%s on %s: answer %d %s %q, want %s as the vendor spells it", tc.instance, tc.havip, r.Status, r.Code, r.Message, tc.code)
			}
			if r.text("RequestId") == "" || r.text("HostId") != "alibaba.sim" || r.text("Recommend") == "" || r.Header.Get("x-acs-request-id") != r.text("RequestId") {
				t.Errorf("%s: the body is %s", tc.code, r.Raw)
			}
			if !reflect.DeepEqual(before, s.World()) {
				t.Errorf("%s: the refusal changed the world", tc.code)
			}
			reached[row(rows, r)] = true
		}
		if got, want := len(reached), len(rows)-len(simulator.FaultOnlyCodes); got != want {
			t.Errorf("%d codes reached by the world, want %d", got, want)
		}
	}
}

func TestFaultsForceTheOtherCodes(t *testing.T) {
	if len(simulator.FaultOnlyCodes) > 8 {
		t.Errorf("%d codes only by fault, want 8 at most", len(simulator.FaultOnlyCodes))
	}
	for _, code := range simulator.FaultOnlyCodes {
		s, c := rules(t)
		if err := s.AddFault(simulator.Fault{Operation: "AssociateHaVip", Error: &simulator.FaultError{Code: code}, Times: 1}); err != nil {
			t.Fatal(err)
		}
		r := c.rpc("AssociateHaVip", "HaVipId", "empty", "InstanceId", "i-far")
		if r.Code != code || row(vendorRows(t), r) < 0 {
			t.Errorf("answer is %d %s %q, want %s as the vendor spells it", r.Status, r.Code, r.Message, code)
		}
		c.rpc("AssociateHaVip", "HaVipId", "empty", "InstanceId", "i-far").want(t, 400, "OperationUnsupported.BindOnMultipleVswitch")
	}
}

func TestUnassociate(t *testing.T) {
	for _, tc := range []struct {
		havip, instance, force string
		status                 int
		code                   string
	}{
		{"two", "i-2", "", 200, ""},
		{"two", "i-1", "", 400, "Forbidden.UnassociateMaster"},
		{"two", "i-1", "False", 400, "Forbidden.UnassociateMaster"},
		{"two", "i-1", "True", 200, ""},
		{"two", "i-3", "True", 400, "ResourceNotAssociated"},
		{"guarded", "i-starting", "True", 400, "IncorrectInstanceStatus"},
		{"moving", "i-1", "", 400, "IncorrectHaVipStatus"},
		{"none", "i-1", "", 404, "InvalidHaVipId.NotFound"},
		{"two", "i-9", "", 400, "InvalidInstanceId.NotFound"},
	} {
		_, c := rules(t)
		r := c.rpc("UnassociateHaVip", "HaVipId", tc.havip, "InstanceId", tc.instance, "Force", tc.force)
		if r.Status != tc.status || r.Code != tc.code {
			t.Errorf("%s from %s, force %q: answer is %d %s, want %d %s", tc.instance, tc.havip, tc.force, r.Status, r.Code, tc.status, tc.code)
		}
	}
}

func TestDeletedInstanceHoldsNothing(t *testing.T) {
	s, c := rules(t)
	if err := s.SetInstance("alibaba", "i-1", havip.Deleted); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][]string{"one": {}, "two": {"i-2"}, "nics": {"eni-2"}} {
		if h, _ := s.HAVIP("alibaba", id); !slices.Equal(h.Holders, want) {
			t.Errorf("%s is held by %v, want %v", id, h.Holders, want)
		}
	}
	if r := c.rpc("DescribeInstances", "InstanceIds", `["i-1"]`); r.text("TotalCount") != "0" {
		t.Errorf("the instance is still listed: %s", r.Raw)
	}
}
