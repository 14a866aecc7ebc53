// Package baidu speaks to Baidu AI Cloud: HAVIPs and the states of instances (BCC).
package baidu

import (
	"context"
	"net/http"
	"time"

	"github.com/baidubce/bce-sdk-go/auth"
	"github.com/baidubce/bce-sdk-go/bce"
	sdk "github.com/baidubce/bce-sdk-go/services/havip"

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
	wire *wire.Client
}

// New makes no call; what is wrong with the config shows in the first one.
func New(c Config) *wire.Idempotent {
	if c.Endpoint == "" {
		c.Endpoint = defaultEndpoint
	}
	cloud := &Cloud{&wire.Client{
		Dialect: dialect, Endpoint: c.Endpoint, Region: c.Region,
		Credentials: c.Credentials, Transport: c.Transport, Timeout: c.Timeout,
	}}
	return &wire.Idempotent{Cloud: cloud, Doubtful: concernsHAVIP, Vague: true}
}

// client is the SDK's for one call, made without its constructor: that one sets up
// state that all clients of the process share.
func client(route wire.Route) *bce.BceClient {
	return &bce.BceClient{
		Config: &bce.BceClientConfiguration{
			Endpoint:    route.Scheme + "://" + route.Host,
			Region:      route.Region,
			UserAgent:   bce.DEFAULT_USER_AGENT,
			Credentials: credentials(route.Keys),
			SignOption:  &auth.SignOptions{HeadersToSign: auth.DEFAULT_HEADERS_TO_SIGN, ExpireSeconds: auth.DEFAULT_EXPIRE_SECONDS},
			Retry:       bce.NewNoRetryPolicy(),
		},
		Signer:     &auth.BceV1Signer{},
		HTTPClient: &http.Client{Transport: route.Transport},
	}
}

// havips is the part of the SDK that speaks of HAVIPs.
func havips(route wire.Route) *sdk.Client { return &sdk.Client{BceClient: client(route)} }

func credentials(keys havip.Credentials) *auth.BceCredentials {
	return &auth.BceCredentials{
		AccessKeyId:     keys.AccessKeyID,
		SecretAccessKey: keys.AccessKeySecret,
		SessionToken:    keys.SecurityToken,
	}
}
