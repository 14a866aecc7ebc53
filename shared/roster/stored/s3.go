package stored

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"

	"havip-functions/shared/wire"
)

// newS3 reads an object of S3, s3://bucket/key, with the ambient AWS
// configuration. The SDK's signer does without its client of all of S3.
func newS3(ctx context.Context, object *url.URL) (fetcher, error) {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("the AWS configuration can't be read: %w", err)
	}
	endpoint := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), aws.ToString(c.BaseEndpoint),
		"https://"+object.Host+".s3."+c.Region+".amazonaws.com")
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
