package wire

import (
	"net/url"
	"strings"

	"havip-functions/shared/havip"
)

// Endpoint is where a cloud listens.
type Endpoint struct {
	Scheme string // https, or http for a local one
	Host   string // with its port, if it has one
}

func parseEndpoint(endpoint, region string) (Endpoint, error) {
	if !strings.Contains(endpoint, "://") {
		endpoint = "https://" + endpoint
	}
	u, err := url.Parse(strings.ReplaceAll(endpoint, "{region}", region))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return Endpoint{}, &havip.Error{
			Kind: havip.ErrRefused, Code: "BadEndpoint", Rule: "an endpoint is a scheme and a host, such as https://vpc.{region}.aliyuncs.com",
			Advice: "correct the endpoint of the cloud's settings",
		}
	}
	return Endpoint{Scheme: u.Scheme, Host: u.Host}, nil
}

// Local tells whether an endpoint is a local one: plain HTTP.
func Local(endpoint string) bool { return strings.HasPrefix(endpoint, "http://") }
