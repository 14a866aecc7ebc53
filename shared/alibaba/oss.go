package alibaba

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

// Object is an object of OSS.
type Object struct {
	URL         *url.URL // oss://bucket/key; ?region= and ?endpoint= in it come first
	Region      string   // of the bucket, where the URL does not say
	Credentials func(context.Context) (havip.Credentials, error)
}

// Read returns the object, if it has at most so many bytes.
func (o Object) Read(ctx context.Context, most int64) ([]byte, error) {
	region := cmp.Or(o.URL.Query().Get("region"), o.Region)
	if region == "" {
		return nil, fmt.Errorf("the bucket's region is not known; add ?region=cn-hangzhou")
	}
	credentials, err := o.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	// The internal endpoint: functions and bucket share the region, and it is free.
	endpoint := cmp.Or(o.URL.Query().Get("endpoint"), "https://"+o.URL.Host+".oss-"+region+"-internal.aliyuncs.com")
	r, err := wire.ObjectRequest(ctx, endpoint, o.URL)
	if err != nil {
		return nil, err
	}
	signOSS(r, "/"+o.URL.Host+o.URL.EscapedPath(), region, credentials)
	return wire.Download(r, most)
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
