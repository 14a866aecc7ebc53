package ledgertest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// Nodes is a cluster of three NATS servers by deploy/selfhosted/nats.conf, each a
// process of its own with a folder of its own.
type Nodes [3]*Node

// Node is one server of a cluster.
type Node struct {
	*Server
	Folder string // of its streams

	stdin io.Closer // a node goes when it is closed
}

// asNode tells this program that it is a node, by the configuration that it names.
const asNode = "LEDGERTEST_IS_A_NODE"

// StartNodes starts a cluster. The TestMain of who does calls [BeNode] first.
func StartNodes(t testing.TB) Nodes {
	t.Helper()
	var all Nodes
	var routes [len(all)]string
	for i := range routes {
		routes[i] = "127.0.0.1:" + Port(t)
	}
	for i := range all {
		n := &Node{Folder: t.TempDir()}
		all[i] = n
		n.Server = Serve(t, func(port string) *exec.Cmd {
			cmd := exec.Command(os.Args[0]) //nolint:gosec // it is ourselves
			cmd.Env = append(os.Environ(), asNode+"="+filepath.Join(Root(t), "deploy/selfhosted/nats.conf"),
				fmt.Sprintf("NATS_NAME=n%d", i), "NATS_LISTEN=127.0.0.1:"+port, "NATS_STORE="+strconv.Quote(n.Folder), // as a configuration says it
				"NATS_CLUSTER="+routes[i], "NATS_ROUTES=[nats://"+strings.Join(routes[:], ", nats://")+"]")
			var err error
			if n.stdin, err = cmd.StdinPipe(); err != nil {
				t.Fatal(err)
			}
			cmd.Stderr = &bytes.Buffer{}
			return cmd
		})
	}
	return all
}

// URLs are the nodes as a client names them.
func (n Nodes) URLs() string {
	var all []string
	for _, one := range n {
		all = append(all, "nats://"+one.Host)
	}
	return strings.Join(all, ",")
}

// Restart ends a node in good order, and starts it again.
func (n *Node) Restart() {
	_ = n.stdin.Close() // it may have ended
	_ = n.cmd.Wait()
	n.Start()
}

// Pause lets a node stand still, its connections open.
func (n *Node) Pause() { _ = n.cmd.Process.Signal(syscall.SIGSTOP) } // it may have ended

// Resume lets it go on.
func (n *Node) Resume() { _ = n.cmd.Process.Signal(syscall.SIGCONT) }

// Said is what a node that was killed had said since its start.
func (n *Node) Said() string { return n.cmd.Stderr.(*bytes.Buffer).String() }

// BeNode is a node until it is killed, where this process was started as one.
func BeNode() {
	config := os.Getenv(asNode)
	if config == "" {
		return
	}
	if err := serveNode(config); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serveNode(config string) error {
	options, err := server.ProcessConfigFile(config)
	if err != nil {
		return err
	}
	options.NoSigs = true
	options.Cluster.NoAdvertise = true // or who comes by a [Wire] would find ways around it
	s, err := server.NewServer(options)
	if err != nil {
		return err
	}
	s.ConfigureLogger()
	s.Start()
	_, err = os.Stdin.Read(make([]byte, 1)) // nobody writes there
	s.Shutdown()
	return err
}
