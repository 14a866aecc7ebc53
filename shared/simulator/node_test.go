package simulator_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"havip-functions/shared/simulator"
)

// TestNodeClients has clients that are neither ours nor Go's move a HAVIP over
// real sockets, each with its own signature.
func TestNodeClients(t *testing.T) {
	needNode(t)
	const story = "Associating\nInUse i-db1\nUnassociating i-db1\nAvailable\n"
	const no = "refused SignatureDoesNotMatch\n"
	for _, tc := range []struct {
		script, secret, signature, want string
		effects                         int
	}{
		{"popcore.mjs", "testsk", "V1", story, 2},
		{"popcore.mjs", "wrong", "V1", no, 0},
		{"vpc.mjs", "testsk", "ACS3", story, 2},
		{"vpc.mjs", "wrong", "ACS3", no, 0},
	} {
		t.Run(tc.script+" "+tc.secret, func(t *testing.T) {
			s, err := simulator.New(simulator.Options{AssociateTime: 500 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if got := runNode(t, s, tc.script, "SECRET="+tc.secret); got != tc.want {
				t.Errorf("it said\n%s, want\n%s", got, tc.want)
			}
			var effects int
			for _, c := range s.Calls(simulator.CallFilter{}) {
				if c.Signature != tc.signature {
					t.Errorf("call %+v, want it signed with %s", c, tc.signature)
				}
				if c.Effect {
					effects++
				}
			}
			if effects != tc.effects {
				t.Errorf("%d calls had an effect, want %d", effects, tc.effects)
			}
		})
	}
}

// needNode skips where there is no Node, or the clients are not installed; in CI
// both are.
func needNode(t *testing.T) {
	t.Helper()
	_, missing := exec.LookPath("node")
	if missing == nil {
		_, missing = os.Stat("testdata/node/node_modules/@alicloud/vpc20160428")
	}
	switch {
	case missing == nil:
	case os.Getenv("CI") == "true":
		t.Fatal(missing)
	default:
		t.Skipf("%v; install Node and run npm ci --prefix shared/simulator/testdata/node", missing)
	}
}

func runNode(t *testing.T, s *simulator.Simulator, script, secret string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := simulator.Serve(ctx, simulator.Addrs{Alibaba: "127.0.0.1:0", Baidu: "127.0.0.1:0", Control: "127.0.0.1:0"}, s)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	node := exec.CommandContext(ctx, "node", script)
	node.Dir, node.Stderr = "testdata/node", os.Stderr
	node.Env = append(os.Environ(), secret, "ENDPOINT=http://"+l.Addrs.Alibaba)
	out, err := node.Output()
	if err != nil {
		t.Errorf("node %s: %v", script, err)
	}
	return string(out)
}
