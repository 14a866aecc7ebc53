package alibaba_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/alibaba"
	"havip-functions/shared/simulator"
)

// TestTimeout has the cloud take twenty seconds, on virtual time.
func TestTimeout(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{0: 10 * time.Second, 15 * time.Second: 15 * time.Second, 30 * time.Second: 20 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			sim, err := simulator.New(simulator.Options{Faults: []simulator.Fault{{Delay: 20 * time.Second}}})
			if err != nil {
				t.Fatal(err)
			}
			defer sim.Close()
			cloud := alibaba.New(alibaba.Config{Region: "cn-hangzhou", Transport: sim.Transport(), Timeout: timeout, Credentials: static(testKeys)})
			began := time.Now()
			_, err = cloud.Get(t.Context(), orders.HAVIP)
			if took := time.Since(began); took != want || (err == nil) != (timeout > want) {
				t.Errorf("with a time-out of %v it took %v: %v", timeout, took, err)
			}
		})
	}
}

// TestEndpoints wants HTTPS to the vendor, unless something else is said.
func TestEndpoints(t *testing.T) {
	tests := []struct {
		config alibaba.Config
		want   string
	}{
		{alibaba.Config{}, "https://vpc.cn-hangzhou.aliyuncs.com https://ecs.cn-hangzhou.aliyuncs.com https://sts.cn-hangzhou.aliyuncs.com"},
		{alibaba.Config{Endpoint: "https://vpc-vpc.{region}.aliyuncs.com"}, "https://vpc-vpc.cn-hangzhou.aliyuncs.com https://ecs.cn-hangzhou.aliyuncs.com https://sts.cn-hangzhou.aliyuncs.com"},
		{alibaba.Config{Endpoint: "http://127.0.0.1:9101"}, "http://127.0.0.1:9101 http://127.0.0.1:9101 http://127.0.0.1:9101"},
		{alibaba.Config{Endpoint: "http://127.0.0.1:1", ECSEndpoint: "ecs.test", STSEndpoint: "http://127.0.0.1:2/"}, "http://127.0.0.1:1 https://ecs.test http://127.0.0.1:2"},
	}
	for _, tt := range tests {
		var asked recorder
		tt.config.Transport, tt.config.Region, tt.config.Credentials = &asked, "cn-hangzhou", static(testKeys)
		cloud, role := alibaba.New(tt.config), alibaba.AssumeRole(tt.config, arn, "story")
		_, err := cloud.Get(t.Context(), orders.HAVIP)
		_, ecsErr := cloud.States(t.Context(), []string{"i-db1"})
		_, stsErr := role(t.Context())
		if err == nil || ecsErr == nil || stsErr == nil {
			t.Error("it serves without a cloud")
		}
		if got := strings.Join(asked, " "); got != tt.want {
			t.Errorf("asked %s, want %s", got, tt.want)
		}
	}
}

// recorder notes the hosts that it is asked for, and reaches none.
type recorder []string

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	*r = append(*r, req.URL.Scheme+"://"+req.URL.Host)
	return nil, errors.New("not reached")
}
