package stored

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"havip-functions/shared/wire"
)

// newS3 reads an object of S3, s3://bucket/key, with the AWS configuration of the
// environment. The SDK's signer does without its client of all of S3.
func newS3(object *url.URL) (fetcher, error) {
	c, err := wire.AWS("S3", "")
	if err != nil {
		return nil, err
	}
	endpoint := cmp.Or(aws.ToString(c.BaseEndpoint), "https://"+object.Host+".s3."+c.Region+".amazonaws.com")
	return func(ctx context.Context, _ Caller) ([]byte, error) {
		credentials, err := c.Credentials.Retrieve(ctx)
		if err != nil {
			return nil, fmt.Errorf("no AWS credentials: %w", err)
		}
		r, err := wire.ObjectRequest(ctx, endpoint, object)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(nil)
		empty := hex.EncodeToString(sum[:])
		r.Header.Set("x-amz-content-sha256", empty)
		if err := v4.NewSigner().SignHTTP(ctx, credentials, r, empty, "s3", c.Region, time.Now()); err != nil {
			return nil, err
		}
		return wire.Download(r, maxRoster)
	}, nil
}
