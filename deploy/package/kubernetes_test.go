package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.yaml.in/yaml/v3"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/roster"
	"havip-functions/shared/runtime/host"
)

// What kustomize makes of deploy/kubernetes has the fields that Kubernetes knows, and its
// pods may run where the restricted standard is kept: testdata/manifests judges it. Each
// thing that is asked for has one that is meant.
func TestManifests(t *testing.T) {
	folder, err := filepath.Abs("../kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	judge := exec.CommandContext(t.Context(), "go", "run", ".", folder) //nolint:gosec // ours
	judge.Dir = filepath.Join("testdata", "manifests")
	var said strings.Builder
	judge.Stderr = &said
	text, err := judge.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	found := map[string]int{}
	for objects := yaml.NewDecoder(strings.NewReader(string(text))); ; {
		var o struct{ Kind string }
		if err := objects.Decode(&o); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		found[o.Kind]++
	}
	want := map[string]int{
		"Namespace": 1, "Deployment": 1, "StatefulSet": 1, "Service": 2, "PodDisruptionBudget": 2,
		"NetworkPolicy": 3, "ConfigMap": 2, "Secret": 1,
	}
	if !maps.Equal(found, want) {
		t.Errorf("it makes %v, want %v", found, want)
	}
}

// The NATS of deploy/kubernetes reads its configuration, and has the room that a host's
// streams ask for.
func TestNATSOfTheManifests(t *testing.T) {
	const password = "a1b2c3d4"
	t.Setenv("NATS_PASSWORD", password)
	opts, err := server.ProcessConfigFile("../kubernetes/nats.conf")
	if err != nil {
		t.Fatal(err)
	}
	if !opts.SyncAlways || opts.Password != password || opts.Cluster.Password != password {
		t.Errorf("synced %t, its users show %q, its nodes %q", opts.SyncAlways, opts.Password, opts.Cluster.Password)
	}
	opts.StoreDir, opts.Host, opts.Port, opts.HTTPPort, opts.Cluster = t.TempDir(), "127.0.0.1", -1, 0, server.ClusterOpts{}
	opts.NoLog, opts.NoSigs = true, true
	node, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	node.Start()
	t.Cleanup(func() { node.Shutdown(); node.WaitForShutdown() })
	if !node.ReadyForConnections(30 * time.Second) {
		t.Fatal("no NATS")
	}
	list, err := roster.Parse(roster.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	h, err := host.Open(ctx, host.Config{
		Addr: "127.0.0.1:0", NATS: ledger.NATS{URLs: "nats://havip:" + password + "@" + node.Addr().String()}, Roster: list, Log: slog.New(slog.DiscardHandler),
		Clouds: func(context.Context, havip.Policy, string) (havip.Cloud, havip.Fleet, error) {
			return nil, nil, errors.New("no cloud")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if err := h.Serve(ctx); err != nil {
		t.Error(err)
	}
}
