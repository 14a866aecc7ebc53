package guard

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// certificateHost is the only kind of host whose certificates we believe: a
// bucket of EventBridge's in one of its regions. The name is looked at before
// anything is fetched, since the sender chose it.
const certificateHost = "-eventbridge.oss-accelerate.aliyuncs.com"

// bridgeRegions are where EventBridge is. Names of buckets are global: the bucket
// of a region where it is not could be a stranger's. So these are the regions that
// both pages of the vendor's have. Function Compute has others, and ap-south-1 is
// gone from one of the pages.
//
// https://help.aliyun.com/document_detail/609691.htm
// https://www.alibabacloud.com/help/en/eventbridge/developer-reference/api-eventbridge-2020-04-01-endpoint
var bridgeRegions = []string{
	"ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-3", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
	"cn-beijing", "cn-chengdu", "cn-guangzhou", "cn-hangzhou", "cn-heyuan", "cn-hongkong", "cn-huhehaote", "cn-qingdao",
	"cn-shanghai", "cn-shanghai-finance-1", "cn-shenzhen", "cn-wulanchabu", "cn-zhangjiakou",
	"eu-central-1", "eu-west-1", "us-east-1", "us-west-1",
}

const (
	certificateAge = 24 * time.Hour
	maxCertificate = 64 << 10 // bytes
	maxKept        = 16
)

// certificates fetches the public keys of EventBridge and keeps them for a day.
type certificates struct {
	client *http.Client
	state  *kept
}

type kept struct {
	sync.Mutex
	keys map[string]certificate
}

type certificate struct {
	key     *rsa.PublicKey
	fetched time.Time
}

func newCertificates(over http.RoundTripper) certificates {
	return certificates{
		client: &http.Client{
			Transport: over, Timeout: 5 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // it could leave the host
		},
		state: &kept{keys: map[string]certificate{}},
	}
}

// key returns the public key at a URL of EventBridge's.
func (c certificates) key(ctx context.Context, where string) (*rsa.PublicKey, error) {
	if !official(where) {
		return nil, unproven("%s must be https://{region}%s/… of a region that EventBridge has", signatureURL, certificateHost)
	}
	c.state.Lock()
	known, found := c.state.keys[where]
	c.state.Unlock()
	if found && time.Since(known.fetched) < certificateAge {
		return known.key, nil
	}
	key, err := c.fetch(ctx, where)
	if err != nil {
		return nil, fmt.Errorf("the certificate of EventBridge can't be had: %w", err) // the sender may be right
	}
	c.keep(where, key)
	return key, nil
}

func official(where string) bool {
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "https" || u.User != nil {
		return false
	}
	region, ours := strings.CutSuffix(u.Host, certificateHost) // with a port it is another
	return ours && slices.Contains(bridgeRegions, region)
}

func (c certificates) keep(where string, key *rsa.PublicKey) {
	c.state.Lock()
	defer c.state.Unlock()
	if len(c.state.keys) >= maxKept {
		clear(c.state.keys)
	}
	c.state.keys[where] = certificate{key, time.Now()}
}

func (c certificates) fetch(ctx context.Context, where string) (*rsa.PublicKey, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, err
	}
	answer, err := c.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // it was read, or its error is told
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it was answered with %s", answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxCertificate))
	if err != nil {
		return nil, err
	}
	return parseKey(text)
}

// parseKey reads a certificate, or a bare public key, in PEM.
func parseKey(text []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it is not PEM")
	}
	var public any
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err == nil {
		public = parsed.PublicKey
	} else if public, err = x509.ParsePKIXPublicKey(block.Bytes); err != nil {
		return nil, errors.New("it holds no certificate and no key")
	}
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("its key is not RSA")
	}
	return key, nil
}
