package simulator_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/baidubce/bce-sdk-go/bce"
	baiduvip "github.com/baidubce/bce-sdk-go/services/havip"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
	"havip-functions/shared/simulator/worldfile"
)

const baiduRulesWorld = `
baidu:
  region: bj
  accessKeys: {testak: testsk}
  subnets: [{id: sbn-a, vpc: vpc-1}, {id: sbn-b, vpc: vpc-1}, {id: sbn-far, vpc: vpc-2}]
  instances:
    - {id: i-1, subnet: sbn-a}
    - {id: i-2, subnet: sbn-a}
    - {id: i-3, subnet: sbn-a}
    - {id: i-4, subnet: sbn-a}
    - {id: i-5, subnet: sbn-a}
    - {id: i-6, subnet: sbn-b}
    - {id: i-far, subnet: sbn-far}
    - {id: i-starting, subnet: sbn-a, state: Starting}
  interfaces:
    - {id: eni-1, subnet: sbn-a, instance: i-1}
    - {id: eni-1b, subnet: sbn-a, instance: i-1}
    - {id: eni-free, subnet: sbn-a}
  havips:
    - {id: empty, subnet: sbn-a, ip: 192.168.0.1}
    - {id: five, subnet: sbn-a, ip: 192.168.0.2, holders: [i-1, i-2, i-3, i-4, i-5]}
    - {id: nic, subnet: sbn-a, ip: 192.168.0.3, holders: [eni-1]}
    - {id: moving, subnet: sbn-a, ip: 192.168.0.4, status: Associating}
`

// Each rule of Baidu's page, and each that we guess, read by the vendor's own
// client: the state of the world alone gives the answer.
func TestBaiduSDKReadsEveryRule(t *testing.T) {
	for _, tc := range []struct {
		name, havip, kind, ids, token string
		status                        int
		code                          string
	}{
		{"another subnet of the VPC", "empty", "SERVER", "i-6", "", 0, ""},
		{"five at once", "empty", "SERVER", "i-1 i-2 i-3 i-4 i-5", "", 0, ""},
		{"a token of 64", "empty", "SERVER", "i-1", strings.Repeat("x", 64), 0, ""},
		{"six at once", "empty", "SERVER", "i-1 i-2 i-3 i-4 i-5 i-6", "", 400, "InappropriateJSON"},
		{"a sixth", "five", "SERVER", "i-6", "", 400, "QuotaExceeded"},
		{"another type", "empty", "TOASTER", "i-1", "", 400, "InappropriateJSON"},
		{"another VPC", "empty", "SERVER", "i-far", "", 400, "VpcMismatch"},
		{"a token of 65", "empty", "SERVER", "i-1", strings.Repeat("x", 65), 400, "InvalidClientToken"},
		{"a token beyond ASCII", "empty", "SERVER", "i-1", "tök", 400, "InvalidClientToken"},
		{"an unknown HAVIP", "none", "SERVER", "i-1", "", 404, "NoSuchObject"},
		{"an unknown instance", "empty", "SERVER", "i-none", "", 404, "NoSuchObject"},
		{"an unknown interface", "empty", "ENI", "eni-none", "", 404, "NoSuchObject"},
		{"a free interface", "empty", "ENI", "eni-free", "", 400, "EniNotAttached"},
		{"two interfaces of one instance", "nic", "ENI", "eni-1b", "", 400, "BindSameInstance"},
		{"its instance beside an interface", "nic", "SERVER", "i-1", "", 400, "BindSameInstance"},
		{"an instance beside an interface", "nic", "SERVER", "i-2", "", 400, "BindMultipleType"},
		{"a holder", "five", "SERVER", "i-1", "", 400, "InstanceAlreadyBound"},
		{"one of several that may not", "empty", "SERVER", "i-1 i-far", "", 400, "VpcMismatch"},
		{"a starting instance", "empty", "SERVER", "i-starting", "", 409, "InstanceStatusConflict"},
		{"a moving HAVIP", "moving", "SERVER", "i-1", "", 409, "OperationConflict"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, err := worldfile.Parse([]byte(baiduRulesWorld))
			if err != nil {
				t.Fatal(err)
			}
			s, _ := start(t, simulator.Options{World: w})
			before, _ := s.HAVIP("baidu", tc.havip)
			err = baiduClient(t, s).HaVipAttachInstance(&baiduvip.HaVipInstanceArgs{
				HaVipId: tc.havip, InstanceIds: strings.Fields(tc.ids), InstanceType: tc.kind, ClientToken: tc.token,
			})
			var refused *bce.BceServiceError
			if errors.As(err, &refused) != (tc.code != "") || refused != nil && (refused.Code != tc.code || refused.StatusCode != tc.status) {
				t.Fatalf("answer is %v, want %d %s", err, tc.status, tc.code)
			}
			after, _ := s.HAVIP("baidu", tc.havip)
			if tc.code == "" && (err != nil || after.Status != havip.InUse) || tc.code != "" && len(after.Holders) != len(before.Holders) {
				t.Errorf("the HAVIP became %+v, %v", after, err)
			}
		})
	}
}

func TestBaiduSDKIsRefusedWithTheWrongSecret(t *testing.T) {
	s, _ := start(t, simulator.Options{})
	c := baiduClient(t, s)
	c.Config.Credentials.SecretAccessKey = "wrong"
	_, err := c.GetHaVipDetail("havip-w2d4")
	var refused *bce.BceServiceError
	if !errors.As(err, &refused) || refused.Code != "SignatureDoesNotMatch" || refused.RequestId == "" {
		t.Errorf("answer is %v", err)
	}
}
