package alibaba_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"

	"havip-functions/shared/alibaba"
	"havip-functions/shared/havip/cloudtest"
)

const (
	oneHAVIP = `{"RequestId":"r1","TotalCount":1,"PageNumber":1,"PageSize":10,"HaVips":{"HaVip":[{"HaVipId":"havip-bp1orders","Status":"InUse","IpAddress":"10.0.0.100","VSwitchId":"vsw-a","AssociatedInstanceType":"EcsInstance","MasterInstanceId":"i-db1","AssociatedInstances":{"associatedInstance":["i-db1"]}}]}}`
	yes      = `{"RequestId":"r1"}`
)

// What a call costs through the adapter, beside the SDK's own client by the same
// recipe: one client, no retries, connections kept. Aim: at most 1.2 times.
func BenchmarkAdapter(b *testing.B) {
	b.Run("Get", func(b *testing.B) {
		cloud, client := beside(b, oneHAVIP)
		cloudtest.Compare(b, cloudtest.Way{Name: "adapter", Do: func() error {
			_, err := cloud.Get(b.Context(), orders.HAVIP)
			return err
		}}, cloudtest.Way{Name: "sdk", Do: func() error {
			r := vpc.CreateDescribeHaVipsRequest()
			r.Domain, r.Filter = client.host, &[]vpc.DescribeHaVipsFilter{{Key: "HaVipId", Value: &[]string{orders.HAVIP}}}
			_, err := client.DescribeHaVips(r)
			return err
		}})
	})
	b.Run("Attach", func(b *testing.B) {
		cloud, client := beside(b, yes)
		cloudtest.Compare(b, cloudtest.Way{Name: "adapter", Do: func() error {
			_, err := cloud.Attach(b.Context(), orders)
			return err
		}}, cloudtest.Way{Name: "sdk", Do: func() error {
			r := vpc.CreateAssociateHaVipRequest()
			r.Domain, r.HaVipId, r.InstanceId = client.host, orders.HAVIP, orders.Instance
			r.InstanceType, r.ClientToken = orders.InstanceType, orders.Token
			_, err := client.AssociateHaVip(r)
			return err
		}})
	})
}

type bareSDK struct {
	*vpc.Client
	host string
}

// beside opens both before one server that always answers the same.
func beside(b *testing.B, answer string) (cloudtest.Cloud, bareSDK) {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Acs-Request-Id", "r1")
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		_, _ = fmt.Fprint(w, answer)
	}))
	b.Cleanup(server.Close)
	config := sdk.NewConfig().WithAutoRetry(false).WithScheme("HTTP")
	config.Transport = &http.Transport{}
	client, err := vpc.NewClientWithOptions("cn-hangzhou", config, credentials.NewAccessKeyCredential(testKeys.AccessKeyID, testKeys.AccessKeySecret))
	if err != nil {
		b.Fatal(err)
	}
	cloud := alibaba.New(alibaba.Config{Region: "cn-hangzhou", Endpoint: server.URL, Transport: &http.Transport{}, Credentials: static(testKeys)})
	return cloud, bareSDK{client, server.Listener.Addr().String()}
}
