// Package baidu speaks to Baidu AI Cloud: HAVIPs and the states of instances (BCC).
package baidu

import (
	"context"
	"net/http"
	"time"

	"github.com/baidubce/bce-sdk-go/auth"
	"github.com/baidubce/bce-sdk-go/bce"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

const defaultEndpoint = "https://bcc.{region}.baidubce.com"

// Config says whose HAVIPs of which region, and how to reach them.
type Config struct {
	Region      string
	Endpoint    string // of HAVIPs and instances; may hold {region}; default https://bcc.{region}.baidubce.com
	Credentials func(context.Context) (havip.Credentials, error)
	Transport   http.RoundTripper // nil: one that all such clouds share
	Timeout     time.Duration     // of one call; 0: ten seconds
}

// Cloud is one account's HAVIPs of one region. It is safe for concurrent use.
type Cloud struct {
	wire wire.Client
}

var (
	_ havip.Cloud = (*Cloud)(nil)
	_ havip.Fleet = (*Cloud)(nil)
)

// New makes no call; what is wrong with the config shows in the first one.
func New(c Config) *Cloud {
	if c.Endpoint == "" {
		c.Endpoint = defaultEndpoint
	}
	return &Cloud{wire.Client{
		Dialect: dialect, Endpoint: c.Endpoint, Region: c.Region,
		Credentials: c.Credentials, Transport: c.Transport, Timeout: c.Timeout,
	}}
}

// call hands send a client of its own, made without the SDK's constructor: that
// one sets up state that all clients of the process share.
func (c *Cloud) call(ctx context.Context, op string, send func(*bce.BceClient) error) (string, error) {
	return c.wire.Call(ctx, op, func(route wire.Route) error {
		return send(&bce.BceClient{
			Config: &bce.BceClientConfiguration{
				Endpoint:    route.Scheme + "://" + route.Host,
				Region:      c.wire.Region,
				UserAgent:   bce.DEFAULT_USER_AGENT,
				Credentials: credentials(route.Keys),
				SignOption:  &auth.SignOptions{HeadersToSign: auth.DEFAULT_HEADERS_TO_SIGN, ExpireSeconds: auth.DEFAULT_EXPIRE_SECONDS},
				Retry:       bce.NewNoRetryPolicy(),
			},
			Signer:     &auth.BceV1Signer{},
			HTTPClient: &http.Client{Transport: route.Transport},
		})
	})
}

func credentials(keys havip.Credentials) *auth.BceCredentials {
	return &auth.BceCredentials{
		AccessKeyId:     keys.AccessKeyID,
		SecretAccessKey: keys.AccessKeySecret,
		SessionToken:    keys.SecurityToken,
	}
}
