// Package wire carries one call to a cloud over HTTP, whatever the cloud's SDK
// makes of it, and says in havip's words what went wrong on the way.
package wire

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"havip-functions/shared/havip"
)

const defaultTimeout = 10 * time.Second

// shared serves the clients that are given no transport.
var shared http.RoundTripper = &http.Transport{
	Proxy:                  http.ProxyFromEnvironment,
	DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
	ForceAttemptHTTP2:      true,
	MaxIdleConns:           256,
	MaxIdleConnsPerHost:    64,
	MaxResponseHeaderBytes: 64 << 10,
	IdleConnTimeout:        60 * time.Second,
	TLSHandshakeTimeout:    5 * time.Second,
	ExpectContinueTimeout:  time.Second,
}

// Client makes the calls of one account. It is safe for concurrent use and never
// repeats a call that may change something.
type Client struct {
	Dialect     Dialect
	Endpoint    string // scheme and host, in which {region} stands for the region; HTTPS unless it says otherwise
	Region      string
	Credentials func(context.Context) (havip.Credentials, error)
	Transport   http.RoundTripper // nil: one that all such clients share
	Timeout     time.Duration     // of one call; 0: ten seconds
}

// Route is what an SDK needs to send one request.
type Route struct {
	Endpoint
	Region    string
	Transport http.RoundTripper
	Keys      havip.Credentials
}

// Call makes one call, once it is its turn, and returns the cloud's id of the
// request; send signs it with an SDK and sends it along the route. It returns by
// the context's deadline or the time-out, whichever is nearer, whatever the SDK
// thinks of deadlines. An error is a [*havip.Error] without secrets, and a nil one
// means that the cloud itself said yes: not a redirect, nor an empty page.
func (c *Client) Call(ctx context.Context, op string, send func(Route) error) (requestID string, err error) {
	leave, err := havip.Enter(ctx)
	if err != nil {
		return "", unsent(op, err)
	}
	defer func() { leave(err); havip.Tell(ctx, c.Region, op, err) }()
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	route, err := c.route(ctx)
	if err != nil {
		return "", unsent(op, err)
	}
	t := &trip{ctx: ctx, client: c, secrets: []string{route.Keys.AccessKeySecret, route.Keys.SecurityToken}}
	route.Transport = t
	defer func() { // the verdict is ours, whatever the SDK returns, or panics with
		if p := recover(); p != nil {
			err = fmt.Errorf("the SDK panicked: %v", p)
		}
		requestID, err = t.verdict(op, err)
	}()
	return "", send(route)
}

func (c *Client) route(ctx context.Context) (Route, error) {
	endpoint, err := parseEndpoint(c.Endpoint, c.Region)
	if err != nil {
		return Route{}, err
	}
	keys, err := c.credentials(ctx)
	return Route{Endpoint: endpoint, Region: c.Region, Keys: keys}, err
}

func (c *Client) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return defaultTimeout
}

func (c *Client) transport() http.RoundTripper {
	if c.Transport != nil {
		return c.Transport
	}
	return shared
}

func (c *Client) credentials(ctx context.Context) (havip.Credentials, error) {
	if c.Credentials == nil {
		return havip.Credentials{}, fmt.Errorf("the account has no credentials")
	}
	if ctx.Err() != nil {
		return havip.Credentials{}, interrupted(ctx, false)
	}
	keys, err := c.Credentials(ctx)
	if err != nil && ctx.Err() != nil {
		return havip.Credentials{}, interrupted(ctx, false)
	}
	if err == nil && (keys.AccessKeyID == "" || keys.AccessKeySecret == "") {
		err = fmt.Errorf("the account's access key is empty")
	}
	return keys, err
}
