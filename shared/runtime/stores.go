package runtime

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

// oss is an object of Alibaba's OSS, oss://bucket/key. ?region= and ?endpoint=
// say what the call does not, or says otherwise.
type oss struct {
	object *url.URL
	own    func(Call) func(context.Context) (havip.Credentials, error)
}

func (o oss) fetch(ctx context.Context, call Call) ([]byte, error) {
	region := cmp.Or(o.object.Query().Get("region"), call.Region)
	if region == "" {
		return nil, fmt.Errorf("the bucket's region is not known; add ?region=cn-hangzhou")
	}
	credentials, err := o.own(call)(ctx)
	if err != nil {
		return nil, err
	}
	// The internal endpoint: functions and bucket share the region, and it is free.
	endpoint := cmp.Or(o.object.Query().Get("endpoint"), "https://"+o.object.Host+".oss-"+region+"-internal.aliyuncs.com")
	r, err := objectRequest(ctx, endpoint, o.object)
	if err != nil {
		return nil, err
	}
	signOSS(r, "/"+o.object.Host+o.object.EscapedPath(), region, credentials)
	return download(r)
}

// signOSS puts OSS4-HMAC-SHA256 on a request without a query,
// https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
func signOSS(r *http.Request, resource, region string, c havip.Credentials) {
	now := time.Now().UTC().Format("20060102T150405Z")
	headers := "x-oss-content-sha256:UNSIGNED-PAYLOAD\nx-oss-date:" + now + "\n"
	r.Header.Set("x-oss-content-sha256", "UNSIGNED-PAYLOAD")
	r.Header.Set("x-oss-date", now)
	if c.SecurityToken != "" {
		r.Header.Set("x-oss-security-token", c.SecurityToken)
		headers += "x-oss-security-token:" + c.SecurityToken + "\n"
	}
	canonical := strings.Join([]string{r.Method, resource, "", headers, "", "UNSIGNED-PAYLOAD"}, "\n")
	scope := now[:8] + "/" + region + "/oss/aliyun_v4_request"
	key := []byte("aliyun_v4" + c.AccessKeySecret)
	for part := range strings.SplitSeq(scope, "/") {
		key = keyed(key, part)
	}
	signature := keyed(key, "OSS4-HMAC-SHA256\n"+now+"\n"+scope+"\n"+hexSum([]byte(canonical)))
	r.Header.Set("Authorization", "OSS4-HMAC-SHA256 Credential="+c.AccessKeyID+"/"+scope+",Signature="+hex.EncodeToString(signature))
}

func keyed(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// newS3 reads an object of S3, s3://bucket/key, with the ambient AWS
// configuration. The SDK's signer does without its client of all of S3.
func newS3(ctx context.Context, object *url.URL) (fetcher, error) {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("the AWS configuration can't be read: %w", err)
	}
	endpoint := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), aws.ToString(c.BaseEndpoint),
		"https://"+object.Host+".s3."+c.Region+".amazonaws.com")
	return func(ctx context.Context, _ Call) ([]byte, error) {
		credentials, err := c.Credentials.Retrieve(ctx)
		if err != nil {
			return nil, fmt.Errorf("no AWS credentials: %w", err)
		}
		r, err := objectRequest(ctx, endpoint, object)
		if err != nil {
			return nil, err
		}
		empty := hexSum(nil)
		r.Header.Set("x-amz-content-sha256", empty)
		if err := v4.NewSigner().SignHTTP(ctx, credentials, r, empty, "s3", c.Region, time.Now()); err != nil {
			return nil, err
		}
		return download(r)
	}, nil
}

// objectRequest names the bucket in the path where the endpoint's host does not.
func objectRequest(ctx context.Context, endpoint string, object *url.URL) (*http.Request, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is no endpoint of a store; give https://host", endpoint)
	}
	path := object.EscapedPath()
	if !strings.HasPrefix(u.Host, object.Host+".") {
		path = "/" + object.Host + path
	}
	return http.NewRequestWithContext(ctx, http.MethodGet, u.Scheme+"://"+u.Host+path, nil)
}

func download(r *http.Request) ([]byte, error) {
	answer, err := wire.WithoutRedirects(nil).Do(r)
	if err != nil {
		return nil, wire.WithoutURL(err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was read, or its error is told
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the store answered %s; allow the function's role to read the object, and check bucket, key and region", answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxRoster+1))
	if err == nil && len(text) > maxRoster {
		err = fmt.Errorf("the object is larger than %d bytes; split the roster", maxRoster)
	}
	return text, err
}
