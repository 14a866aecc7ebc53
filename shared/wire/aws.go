package wire

import (
	"cmp"
	"context"
	"errors"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// AWS is the configuration that Lambda gives its functions: region, unless one is given, credentials and,
// for tests, the endpoint of a service ("SQS"), by the names that the AWS SDK reads. Its
// own loader also knows profiles, SSO and the metadata of machines, which a function has
// none of, and which took a tenth of the binary and of its start.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func AWS(service, region string) (aws.Config, error) {
	c := aws.Config{
		Region:      cmp.Or(region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")),
		Credentials: aws.CredentialsProviderFunc(awsCredentials),
	}
	if c.Region == "" {
		return aws.Config{}, errors.New("AWS_REGION is not set")
	}
	if endpoint := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_"+service), os.Getenv("AWS_ENDPOINT_URL")); endpoint != "" {
		c.BaseEndpoint = &endpoint
	}
	return c, nil
}

func awsCredentials(context.Context) (aws.Credentials, error) {
	c := aws.Credentials{
		AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: os.Getenv("AWS_SESSION_TOKEN"), Source: "environment",
	}
	if !c.HasKeys() {
		return aws.Credentials{}, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set")
	}
	return c, nil
}
