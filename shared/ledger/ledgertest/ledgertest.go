// Package ledgertest starts the servers that ledgers are kept in, for tests: real
// ones, or by others than us.
package ledgertest

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"go.yaml.in/yaml/v3"
)

// Server is one under way.
type Server struct {
	Host string // with its port

	t    testing.TB
	make func() *exec.Cmd
	cmd  *exec.Cmd
}

// Serve starts a server on a free port, and ends it with the test.
func Serve(t testing.TB, command func(port string) *exec.Cmd) *Server {
	t.Helper()
	port := Port(t)
	s := &Server{Host: "127.0.0.1:" + port, t: t, make: func() *exec.Cmd { return command(port) }}
	s.Start()
	t.Cleanup(s.Kill)
	return s
}

// Port is one for a server that has to be told, for as long as the test runs. A socket
// that does not listen holds it: the system gives it to nobody who asks for any, and a
// server that names it may listen there, as all that we start do by SO_REUSEADDR. (On
// other systems than Linux it may not, and nothing holds the port.)
func Port(t testing.TB) string {
	t.Helper()
	syscall.ForkLock.RLock()
	held, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(held)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	free := func() { _ = syscall.Close(held) } // the port with it
	if runtime.GOOS == "linux" {
		t.Cleanup(free)
	} else {
		defer free()
	}
	err = errors.Join(
		syscall.SetsockoptInt(held, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1),
		syscall.Bind(held, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, failed := syscall.Getsockname(held)
	if err := errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(name.(*syscall.SockaddrInet4).Port)
}

// Start starts it, again after a Kill, and returns once it listens.
func (s *Server) Start() {
	s.t.Helper()
	s.cmd = s.make()
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for range 1500 {
		if conn, err := net.Dial("tcp", s.Host); err == nil {
			_ = conn.Close() // it answered
			return
		}
		<-every.C
	}
	s.t.Fatalf("%s does not listen", s.cmd)
}

// Kill ends it at once.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()
}

// Need ends the test where what it needs is missing, which in CI it must not be.
func Need(t testing.TB, missing error, how string) {
	t.Helper()
	switch {
	case missing == nil:
	case os.Getenv("CI") == "true":
		t.Fatal(missing)
	default:
		t.Skipf("%v; %s", missing, how)
	}
}

// Redis starts a real one that keeps nothing on disk, with more arguments.
func Redis(t testing.TB, args ...string) *Server {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	Need(t, err, "install redis-server")
	folder := t.TempDir()
	return Serve(t, func(port string) *exec.Cmd {
		return exec.Command(program, append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder}, args...)...)
	})
}

// Table is the name of the table that [DynamoDB] makes, in a region.
const (
	Table  = "havip-ledger"
	region = "eu-west-1"
)

// DynamoDB starts dynalite, which keeps its tables on disk, and makes the table of
// deploy/aws/template.yaml there. It believes any credentials.
func DynamoDB(t testing.TB) *Server {
	t.Helper()
	installed := filepath.Join(Root(t), "shared/ledger/testdata/dynalite")
	script := filepath.Join(installed, "node_modules/dynalite/cli.js")
	_, missing := exec.LookPath("node")
	if missing == nil {
		_, missing = os.Stat(script)
	}
	Need(t, missing, "install Node and run npm ci --prefix shared/ledger/testdata/dynalite")
	folder := t.TempDir()
	s := Serve(t, func(port string) *exec.Cmd {
		return exec.Command("node", script, "--host", "127.0.0.1", "--port", port, "--path", folder, "--createTableMs", "0")
	})
	table := template(t)
	table.TableName = aws.String(Table)
	client := s.Client()
	if _, err := client.CreateTable(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	exists := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 50 * time.Millisecond })
	if err := exists.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: table.TableName}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return s
}

// Client speaks to a [DynamoDB] as its owner does.
func (s *Server) Client() *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{BaseEndpoint: aws.String("http://" + s.Host), Region: region,
		Credentials: credentials.NewStaticCredentialsProvider("testak", "testsk", "")})
}

// TableAt is the address of the table at a host, of which a proxy is one.
func TableAt(host string) string {
	return "dynamodb://" + Table + "?region=" + region + "&endpoint=http://" + host
}

// template reads the table out of deploy/aws: CloudFormation's words for one are the
// API's.
func template(t testing.TB) *dynamodb.CreateTableInput {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(Root(t), "deploy/aws/template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Resources map[string]struct {
			Type       string    `yaml:"Type"`
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(source, &all); err != nil {
		t.Fatal(err)
	}
	for _, r := range all.Resources {
		if r.Type != "AWS::DynamoDB::Table" {
			continue
		}
		var properties map[string]any
		var table dynamodb.CreateTableInput
		err := r.Properties.Decode(&properties)
		plain, failed := json.Marshal(properties)
		if err := errors.Join(err, failed, json.Unmarshal(plain, &table)); err != nil {
			t.Fatal(err)
		}
		return &table
	}
	t.Fatal("the template makes no table")
	return nil
}

// Root is the folder of the module.
func Root(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		if folder == filepath.Dir(folder) {
			t.Fatal("no go.mod above us")
		}
	}
}
