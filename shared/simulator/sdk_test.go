package simulator_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	aliyun "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"
	"github.com/baidubce/bce-sdk-go/bce"
	"github.com/baidubce/bce-sdk-go/services/bcc"
	"github.com/baidubce/bce-sdk-go/services/bcc/api"
	baiduvip "github.com/baidubce/bce-sdk-go/services/havip"

	"havip-functions/shared/simulator"
)

// The vendors' own clients, over the transport that needs no socket.

func sdkConfig(s *simulator.Simulator) *sdk.Config {
	config := sdk.NewConfig().WithScheme("HTTP")
	config.Transport = s.Transport()
	return config
}

func vpcClient(t *testing.T, s *simulator.Simulator) *vpc.Client {
	t.Helper()
	c, err := vpc.NewClientWithOptions("cn-hangzhou", sdkConfig(s), credentials.NewAccessKeyCredential("testak", "testsk"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func associate(t *testing.T, s *simulator.Simulator, region, id, instance, kind string) error {
	t.Helper()
	r := vpc.CreateAssociateHaVipRequest()
	r.Domain, r.RegionId, r.HaVipId, r.InstanceId, r.InstanceType = "alibaba.sim", region, id, instance, kind
	_, err := vpcClient(t, s).AssociateHaVip(r)
	return err
}

func TestAlibabaSDKReadsEveryCode(t *testing.T) {
	s, _ := rules(t)
	for _, tc := range associateCases {
		err := associate(t, s, tc.region, tc.havip, tc.instance, tc.kind)
		var server *aliyun.ServerError
		if !errors.As(err, &server) || server.ErrorCode() != tc.code || server.RequestId() == "" {
			t.Errorf("%s on %s: %v, want %s", tc.instance, tc.havip, err, tc.code)
		}
	}
}

func TestAlibabaSDK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := simulator.New(simulator.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := associate(t, s, "cn-hangzhou", "havip-bp1orders", "eni-1", "NetworkInterface"); err != nil {
			t.Fatal(err)
		}
		describe := func() vpc.HaVip {
			r := vpc.CreateDescribeHaVipsRequest()
			r.Domain = "alibaba.sim"
			r.Filter = &[]vpc.DescribeHaVipsFilter{{Key: "HaVipId", Value: &[]string{"havip-bp1orders"}}}
			answer, err := vpcClient(t, s).DescribeHaVips(r)
			if err != nil || answer.TotalCount != 1 || answer.RequestId == "" {
				t.Fatalf("answer is %+v, %v", answer, err)
			}
			return answer.HaVips.HaVip[0]
		}
		if h := describe(); h.Status != "Associating" || h.IpAddress != "10.0.0.100" || h.VSwitchId != "vsw-a" || h.VpcId != "vpc-1" {
			t.Errorf("while it moves the HAVIP is %+v", h)
		}
		elapse(2 * time.Second)
		h := describe()
		if h.Status != "InUse" || h.MasterInstanceId != "eni-1" || h.AssociatedInstanceType != "NetworkInterface" || len(h.AssociatedInstances.AssociatedInstance) != 1 {
			t.Errorf("then it is %+v", h)
		}
		r := vpc.CreateUnassociateHaVipRequest()
		r.Domain, r.HaVipId, r.InstanceId, r.InstanceType, r.Force = "alibaba.sim", "havip-bp1orders", "eni-1", "NetworkInterface", "True"
		if _, err := vpcClient(t, s).UnassociateHaVip(r); err != nil {
			t.Error(err)
		}
	})
}

func TestAlibabaSDKOfTheFleet(t *testing.T) {
	s, _ := start(t, simulator.Options{})
	c, err := ecs.NewClientWithOptions("cn-hangzhou", sdkConfig(s), credentials.NewAccessKeyCredential("testak", "testsk"))
	if err != nil {
		t.Fatal(err)
	}
	r := ecs.CreateDescribeInstancesRequest()
	r.Domain, r.InstanceIds, r.PageSize = "alibaba.sim", `["i-db1","i-web1"]`, requests.NewInteger(50)
	if got, err := c.DescribeInstances(r); err != nil || len(got.Instances.Instance) != 2 || got.Instances.Instance[1].VpcAttributes.VSwitchId != "vsw-b" || got.Instances.Instance[0].Status != "Running" {
		t.Errorf("instances are %+v, %v", got, err)
	}
	n := ecs.CreateDescribeNetworkInterfacesRequest()
	n.Domain, n.NetworkInterfaceId = "alibaba.sim", &[]string{"eni-2"}
	if got, err := c.DescribeNetworkInterfaces(n); err != nil || len(got.NetworkInterfaceSets.NetworkInterfaceSet) != 1 || got.NetworkInterfaceSets.NetworkInterfaceSet[0].InstanceId != "i-db2" {
		t.Errorf("interfaces are %+v, %v", got, err)
	}
}

func TestAlibabaSDKOfRoles(t *testing.T) {
	s, _ := start(t, simulator.Options{})
	c, err := sts.NewClientWithOptions("cn-hangzhou", sdkConfig(s), credentials.NewAccessKeyCredential("testak", "testsk"))
	if err != nil {
		t.Fatal(err)
	}
	r := sts.CreateAssumeRoleRequest()
	r.Domain, r.RoleArn, r.RoleSessionName = "alibaba.sim", "acs:ram::1234567890123456:role/havip", "story"
	got, err := c.AssumeRole(r)
	if err != nil {
		t.Fatal(err)
	}
	role := credentials.NewStsTokenCredential(got.Credentials.AccessKeyId, got.Credentials.AccessKeySecret, got.Credentials.SecurityToken)
	temporary, err := vpc.NewClientWithOptions("cn-hangzhou", sdkConfig(s), role)
	if err != nil {
		t.Fatal(err)
	}
	d := vpc.CreateDescribeHaVipsRequest()
	d.Domain = "alibaba.sim"
	if answer, err := temporary.DescribeHaVips(d); err != nil || answer.TotalCount != 1 {
		t.Errorf("answer is %+v, %v", answer, err)
	}
}

func baiduConfig(b *bce.BceClient, s *simulator.Simulator) {
	b.HTTPClient = &http.Client{Transport: s.Transport()}
	b.Config.Retry = bce.NewNoRetryPolicy()
}

func baiduClient(t *testing.T, s *simulator.Simulator) *baiduvip.Client {
	t.Helper()
	c, err := baiduvip.NewClient("testak", "testsk", "http://bcc.bj.baidubce.com")
	if err != nil {
		t.Fatal(err)
	}
	baiduConfig(c.BceClient, s)
	return c
}

func TestBaiduSDK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := simulator.New(simulator.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		args := func() *baiduvip.HaVipInstanceArgs {
			return &baiduvip.HaVipInstanceArgs{HaVipId: "havip-w2d4", InstanceIds: []string{"i-syG1"}, InstanceType: "SERVER", ClientToken: "tok-1"}
		}
		for range 2 { // the second one is a replay
			if err := baiduClient(t, s).HaVipAttachInstance(args()); err != nil {
				t.Fatal(err)
			}
		}
		elapse(2 * time.Second)
		h, err := baiduClient(t, s).GetHaVipDetail("havip-w2d4")
		if err != nil || h.Status != "bound" || h.PrivateIpAddress != "192.168.0.100" || h.VpcId != "vpc-1" || len(h.BindedInstances) != 1 || !h.BindedInstances[0].Master {
			t.Fatalf("the HAVIP is %+v, %v", h, err)
		}
		if err := baiduClient(t, s).HaVipDetachInstance(args()); err != nil {
			t.Error(err)
		}
		list, err := baiduClient(t, s).ListHaVip(&baiduvip.ListHaVipArgs{VpcId: "vpc-1"})
		if err != nil || len(list.HaVips) != 1 || list.MaxKeys != 1000 {
			t.Errorf("the list is %+v, %v", list, err)
		}
		_, err = baiduClient(t, s).GetHaVipDetail("havip-none")
		var refused *bce.BceServiceError
		if !errors.As(err, &refused) || refused.Code != "NoSuchObject" || refused.StatusCode != 404 || refused.RequestId == "" {
			t.Errorf("an unknown HAVIP is %v", err)
		}
	})
}

func TestBaiduSDKOfTheFleet(t *testing.T) {
	s, _ := start(t, simulator.Options{})
	c, err := bcc.NewClient("testak", "testsk", "http://baidu.sim")
	if err != nil {
		t.Fatal(err)
	}
	baiduConfig(c.BceClient, s)
	if got, err := c.ListInstances(&api.ListInstanceArgs{InstanceIds: "i-syG1,i-syG3"}); err != nil || len(got.Instances) != 2 || got.Instances[1].Status != api.InstanceStatusRunning {
		t.Errorf("instances are %+v, %v", got, err)
	}
	if got, err := c.ListInstanceByInstanceIds(&api.ListInstanceByInstanceIdArgs{InstanceIds: []string{"i-syG2"}}); err != nil || len(got.Instances) != 1 || got.Instances[0].InstanceId != "i-syG2" {
		t.Errorf("instances are %+v, %v", got, err)
	}
}
