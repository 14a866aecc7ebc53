package baidu_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/baidubce/bce-sdk-go/bce"
	sdk "github.com/baidubce/bce-sdk-go/services/havip"

	"havip-functions/shared/baidu"
	"havip-functions/shared/havip/cloudtest"
)

const oneHAVIP = `{"haVipId":"havip-w2d4","status":"bound","privateIpAddress":"192.168.0.100","subnetId":"sbn-a","bindedInstances":[{"instanceId":"i-syG1","instanceType":"SERVER","master":true}]}`

// What a call costs through the adapter, beside the SDK's own client by the same
// recipe: one client, no retries, connections kept. Aim: at most 1.2 times.
func BenchmarkAdapter(b *testing.B) {
	b.Run("Get", func(b *testing.B) {
		cloud, client := beside(b, oneHAVIP)
		cloudtest.Compare(b, cloudtest.Way{Name: "adapter", Do: func() error {
			_, err := cloud.Get(b.Context(), orders.HAVIP)
			return err
		}}, cloudtest.Way{Name: "sdk", Do: func() error {
			_, err := client.GetHaVipDetail(orders.HAVIP)
			return err
		}})
	})
	b.Run("Attach", func(b *testing.B) {
		cloud, client := beside(b, "")
		cloudtest.Compare(b, cloudtest.Way{Name: "adapter", Do: func() error {
			_, err := cloud.Attach(b.Context(), orders)
			return err
		}}, cloudtest.Way{Name: "sdk", Do: func() error {
			return client.HaVipAttachInstance(&sdk.HaVipInstanceArgs{
				HaVipId: orders.HAVIP, InstanceIds: []string{orders.Instance}, InstanceType: orders.InstanceType, ClientToken: orders.Token,
			})
		}})
	})
}

// beside opens both before one server that always answers the same.
func beside(b *testing.B, answer string) (cloudtest.Cloud, *sdk.Client) {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Bce-Request-Id", "r1")
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		_, _ = fmt.Fprint(w, answer)
	}))
	b.Cleanup(server.Close)
	client, err := sdk.NewClient(testKeys.AccessKeyID, testKeys.AccessKeySecret, server.URL)
	if err != nil {
		b.Fatal(err)
	}
	client.HTTPClient = &http.Client{Transport: &http.Transport{}}
	client.Config.Retry = bce.NewNoRetryPolicy()
	cloud := baidu.New(baidu.Config{Region: "bj", Endpoint: server.URL, Transport: &http.Transport{}, Credentials: static(testKeys)})
	return cloud, client
}
