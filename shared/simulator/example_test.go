package simulator_test

import (
	"fmt"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"

	"havip-functions/shared/simulator"
)

// The vendor's own client takes the simulator for its cloud.
func Example() {
	s, err := simulator.New(simulator.Options{AssociateTime: -1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()

	config := sdk.NewConfig().WithScheme("HTTP")
	config.Transport = s.Transport()
	client, err := vpc.NewClientWithOptions("cn-hangzhou", config, credentials.NewAccessKeyCredential("testak", "testsk"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, instance := range []string{"i-db1", "i-web1"} {
		r := vpc.CreateAssociateHaVipRequest()
		r.Domain, r.HaVipId, r.InstanceId = "alibaba.sim", "havip-bp1orders", instance
		_, _ = client.AssociateHaVip(r) // the calls below tell
	}

	h, _ := s.HAVIP("alibaba", "havip-bp1orders")
	fmt.Println(h.Status, h.Holders, h.Master)
	for _, c := range s.Calls(simulator.CallFilter{}) {
		fmt.Println(c.N, c.Status, c.Operation, c.Instances, "effect:", c.Effect)
	}
	// Output:
	// InUse [i-db1] i-db1
	// 1 200 AssociateHaVip [i-db1] effect: true
	// 2 400 AssociateHaVip [i-web1] effect: false
}
