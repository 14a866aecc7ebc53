package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The binary starts cold in every new instance, so it carries no engine, no
// console, no metrics and no simulator.
func TestBinaryStaysSmall(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-tags", "lambda.norpc", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if !slices.Contains(packages, "havip-functions/shared/flow") {
		t.Fatalf("go list names %d packages, and none of ours", len(packages))
	}
	for _, unwanted := range []string{
		"github.com/nats-io/nats-server", "github.com/prometheus", "go.opentelemetry.io/otel/exporters", "github.com/spf13/cobra",
		"havip-functions/shared/simulator", "havip-functions/shared/runtime/host", "net/rpc", "testing",
		"github.com/aws/aws-sdk-go-v2/config", "github.com/aliyun/aliyun-tablestore-go-sdk", "google.golang.org/protobuf/proto",
	} {
		for _, p := range packages {
			if p == unwanted || strings.HasPrefix(p, unwanted+"/") {
				t.Errorf("it carries %s", p)
			}
		}
	}
}
