package alibaba

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"

	oss "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/signer"

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
	product, bucket, key := "oss", o.URL.Host, strings.TrimPrefix(o.URL.Path, "/")
	err = new(signer.SignerV4).Sign(ctx, &signer.SigningContext{
		Product: &product, Region: &region, Bucket: &bucket, Key: &key, Request: r,
		Credentials: &oss.Credentials{
			AccessKeyID: credentials.AccessKeyID, AccessKeySecret: credentials.AccessKeySecret, SecurityToken: credentials.SecurityToken,
		},
	})
	if err != nil {
		return nil, err
	}
	return wire.Download(r, most)
}
