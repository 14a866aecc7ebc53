// Package alibaba speaks to Alibaba Cloud: HAVIPs (Vpc), instances and interfaces
// (Ecs), and roles (Sts) by its SDK; EventBridge, OSS and whoever asks for a
// signature without.
package alibaba

import (
	"context"
	"net/http"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

// Config says whose HAVIPs of which region, and how to reach them. An endpoint
// may hold {region}, and http:// in it means a local one, which the others follow.
type Config struct {
	Region      string
	Endpoint    string // of Vpc; default https://vpc.{region}.aliyuncs.com
	ECSEndpoint string // default https://ecs.{region}.aliyuncs.com
	STSEndpoint string // default https://sts.{region}.aliyuncs.com; for [AssumeRole]
	Credentials func(context.Context) (havip.Credentials, error)
	Transport   http.RoundTripper // nil: one that all such clouds share
	Timeout     time.Duration     // of one call; 0: ten seconds
}

// Cloud is one account's HAVIPs of one region. It is safe for concurrent use.
type Cloud struct {
	vpc, ecs service
}

var (
	_ havip.Cloud = (*Cloud)(nil)
	_ havip.Fleet = (*Cloud)(nil)
)

// New makes no call; what is wrong with the config shows in the first one.
func New(c Config) *Cloud {
	return &Cloud{vpc: c.service("vpc", c.Endpoint), ecs: c.service("ecs", c.ECSEndpoint)}
}

func (c Config) service(product, endpoint string) service {
	if endpoint == "" && wire.Local(c.Endpoint) {
		endpoint = c.Endpoint
	}
	if endpoint == "" {
		endpoint = "https://" + product + ".{region}.aliyuncs.com"
	}
	return service{wire.Client{
		Dialect: dialect, Endpoint: endpoint, Region: c.Region,
		Credentials: c.Credentials, Transport: c.Transport, Timeout: c.Timeout,
	}}
}

// service is one of the cloud's products.
type service struct {
	wire wire.Client
}

// call makes a client of the SDK for each call, because a shared one races.
func (s *service) call(ctx context.Context, req requests.AcsRequest, resp responses.AcsResponse) (string, error) {
	return s.wire.Call(ctx, req.GetActionName(), func(route wire.Route) error {
		var client sdk.Client
		config := sdk.NewConfig().WithAutoRetry(false)
		config.Transport = route.Transport
		// Given the region, the SDK compiles a regular expression for it each time.
		if err := client.InitWithOptions("", config, credential(route.Keys)); err != nil {
			return err
		}
		req.GetQueryParams()["RegionId"] = s.wire.Region
		// Without a domain the SDK asks a location service over the network.
		req.SetDomain(route.Host)
		req.SetScheme(route.Scheme)
		return client.DoAction(req, resp)
	})
}

func credential(keys havip.Credentials) auth.Credential {
	if keys.SecurityToken == "" {
		return credentials.NewAccessKeyCredential(keys.AccessKeyID, keys.AccessKeySecret)
	}
	return credentials.NewStsTokenCredential(keys.AccessKeyID, keys.AccessKeySecret, keys.SecurityToken)
}
