package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger/ledgertest"
	"havip-functions/shared/simulator"
)

const traceID, senderSpan = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

// A failover whose looks several invocations take is one trace, the sender's own, in the
// eyes of a collector that is not ours.
func TestOneTraceOverThreeInvocations(t *testing.T) {
	t.Parallel()
	endpoint, taken := collector(t)
	w := world()
	w.Alibaba[0].HAVIPs[0].Holders = []string{"i-db1"}
	c := openClouds(t, simulator.Options{World: w, AssociateTime: slow})
	if err := c.SetInstance("alibaba", "i-db1", havip.Stopped); err != nil {
		t.Fatal(err)
	}
	f := openFC(t, c, habits{}, openGo1, "OTEL_EXPORTER_OTLP_ENDPOINT="+endpoint, "OTEL_SERVICE_NAME=addresses",
		"HAVIP_SEAL_KEY=a-key-of-this-deployment", "FC_FUNCTION_NAME=havip-health-failed", "FC_REGION="+region)
	f.async(call{function: "havip-health-failed", payload: []byte(`{"specversion":"1.0","id":"trace-1","source":"/monitor","type":"havip.health.failed",
		"traceparent":"00-` + traceID + `-` + senderSpan + `-01","tracestate":"vendor=1","data":{"cloud":"alibaba","region":"cn-hangzhou","instance":"i-db1"}}`)}, 0)
	c.attached(t, arrival{cloud: "alibaba", havip: "havip-bp1orders", instance: "i-db2"}, f.instance.logs()...)
	f.busy.Wait()
	eventually(t, "the collector has the trace, to its last look", func() bool {
		all := spansOf(t, taken)
		return slices.ContainsFunc(all, func(s collected) bool {
			return s.Name == "look" && s.Attributes["havip.look"] == all[0].Attributes["havip.looks"]
		})
	})
	all := spansOf(t, taken)
	root, names, invocations := all[0], map[string]int{}, map[any]bool{}
	for i, s := range all {
		names[s.Name]++
		if id := s.Attributes["faas.invocation_id"]; id != nil {
			invocations[id] = true
		}
		parent := root.ID
		if i == 0 {
			parent = senderSpan
		}
		if s.Trace != traceID || s.State != "vendor=1" || s.Parent != parent || s.End < s.Start || s.Start < root.Start {
			t.Errorf("%s does not belong to the trace: %+v", s.Name, s)
		}
	}
	if len(invocations) < 3 || names["look"] < 3 || names["Attach"] != 1 || names["Detach"] != 1 || names["wait"] == 0 {
		t.Errorf("%d invocations tell %v", len(invocations), names)
	}
	for name, want := range map[string]any{
		"cloudevents.event_id": "trace-1", "cloudevents.event_source": "/monitor", "cloudevents.event_type": "havip.health.failed",
		"havip.name": "orders-db", "havip.outcome": "attached", "havip.instance": "i-db2", "havip.calls": 2.0,
	} {
		if root.Attributes[name] != want {
			t.Errorf("%s is %v, want %v", name, root.Attributes[name], want)
		}
	}
	if want := map[string]any{
		"service.name": "addresses", "cloud.provider": "alibaba_cloud", "cloud.platform": "alibaba_cloud_fc",
		"cloud.region": region, "faas.name": "havip-health-failed",
	}; !maps.Equal(root.Resource, want) {
		t.Errorf("it is told by %v", root.Resource)
	}
	t.Logf("%d spans of %d invocations: %v", len(all), len(invocations), names)
	f.clean()
}

// collected is a span as the collector understood it.
type collected struct {
	Trace, ID, Parent, State, Name, Kind, Status, Start, End string
	Attributes, Resource                                     map[string]any
}

// spansOf are those that the collector has taken, each once, in their order.
func spansOf(t *testing.T, taken *output) (all []collected) {
	t.Helper()
	for _, line := range taken.lines() {
		var s collected
		if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &s) != nil {
			continue
		}
		if !slices.ContainsFunc(all, func(other collected) bool { return other.ID == s.ID }) {
			all = append(all, s)
		}
	}
	return all
}

// collector runs the OpenTelemetry Collector's receiver, whose module is apart from ours.
func collector(t *testing.T) (endpoint string, taken *output) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "collector")
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-C", "testdata/collector", "-o", binary, ".").CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v\n%s", err, said)
		}
		t.Skipf("the collector can't be built: %v\n%s", err, said)
	}
	address, taken := "127.0.0.1:"+ledgertest.Port(t), &output{}
	cmd := exec.Command(binary, address)
	cmd.Stdout, cmd.Stderr = taken, taken
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the collector: %s", taken.String())
		}
	})
	eventually(t, "the collector listens", func() bool { return listens(address) })
	return "http://" + address, taken
}
