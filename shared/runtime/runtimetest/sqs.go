package runtimetest

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"havip-functions/shared/ledger/ledgertest"
)

// Queues starts an SQS by others than us, goaws, and returns its address and its
// owner's client. It believes any credentials.
func Queues(t testing.TB) (url string, owner *sqs.Client) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "goaws")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = filepath.Join(ledgertest.Root(t), "shared/runtime/runtimetest/testdata/goaws")
	said, err := build.CombinedOutput()
	ledgertest.Need(t, err, "its modules are needed: "+string(said))
	server := ledgertest.Serve(t, func(port string) *exec.Cmd { return exec.Command(program, port) })
	url = "http://" + server.Host
	return url, sqs.New(sqs.Options{BaseEndpoint: aws.String(url), Region: "eu-west-1",
		Credentials: credentials.NewStaticCredentialsProvider("testak", "testsk", "")})
}
