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
	vpc, ecs *wire.Client
}

// New makes no call; what is wrong with the config shows in the first one.
func New(c Config) *wire.Idempotent {
	cloud := &Cloud{vpc: c.client("vpc", c.Endpoint), ecs: c.client("ecs", c.ECSEndpoint)}
	return &wire.Idempotent{Cloud: cloud, Doubtful: maySayAlready}
}

// client reaches one of the cloud's products.
func (c Config) client(product, endpoint string) *wire.Client {
	if endpoint == "" && wire.Local(c.Endpoint) {
		endpoint = c.Endpoint
	}
	if endpoint == "" {
		endpoint = "https://" + product + ".{region}.aliyuncs.com"
	}
	return &wire.Client{
		Dialect: dialect, Endpoint: endpoint, Region: c.Region,
		Credentials: c.Credentials, Transport: c.Transport, Timeout: c.Timeout,
	}
}

// do sends a request of the SDK. It makes a client for each, because a shared one
// races.
func do(req requests.AcsRequest, resp responses.AcsResponse) func(wire.Route) error {
	return func(route wire.Route) error {
		var client sdk.Client
		config := sdk.NewConfig().WithAutoRetry(false)
		config.Transport = route.Transport
		// Given the region, the SDK compiles a regular expression for it each time.
		if err := client.InitWithOptions("", config, credential(route.Keys)); err != nil {
			return err
		}
		req.GetQueryParams()["RegionId"] = route.Region
		// Without a domain the SDK asks a location service over the network.
		req.SetDomain(route.Host)
		req.SetScheme(route.Scheme)
		return client.DoAction(req, resp)
	}
}

func credential(keys havip.Credentials) auth.Credential {
	if keys.SecurityToken == "" {
		return credentials.NewAccessKeyCredential(keys.AccessKeyID, keys.AccessKeySecret)
	}
	return credentials.NewStsTokenCredential(keys.AccessKeyID, keys.AccessKeySecret, keys.SecurityToken)
}
