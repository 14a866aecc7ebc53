package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.yaml.in/yaml/v3"

	"havip-functions/shared/ledger/ledgertest"
)

// quotedIn is a block of deploy/selfhosted/README.md, of that language and with these
// words.
func quotedIn(t *testing.T, language, has string) string {
	t.Helper()
	for _, block := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(readText(t, "../selfhosted/README.md"), -1) {
		if strings.Contains(block[1], has) {
			return block[1]
		}
	}
	t.Fatalf("no %s with %q", language, has)
	return ""
}

// A folder that was packed while the host was stopped, and unpacked over another, is
// opened by the next one: what had ended is known, what was open ends, what came after
// is forgotten.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "1s")
	state, rosterFile := t.TempDir(), builtinRoster(t)
	sh := func(has string) {
		t.Helper()
		script := regexp.MustCompile(`(?m)^(systemctl|havip) .*$`).ReplaceAllString(quotedIn(t, "sh", has), "")
		cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", strings.ReplaceAll(script, "/var/lib/private", state)) //nolint:gosec // our own page
		cmd.Dir = state
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s\n%s", err, said, script)
		}
	}
	data := filepath.Join(state, "havip")
	d := c.serve(t, data, rosterFile)
	ended := d.accept(t, structured("1", "instance.started", "baidu", "bj", "i-syG1"))[0]
	d.ends(t, ended)
	open := d.accept(t, structured("2", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))[0]
	c.called(t, "AssociateHaVip")
	d.stop(t)
	sh("tar -C /var/lib/private -czf")
	d = c.serve(t, data, rosterFile)
	late := d.accept(t, structured("3", "health.failed", "baidu", "bj", "i-syG1"))[0]
	d.ends(t, late)
	d.stop(t)
	sh("tar -C /var/lib/private -xzf")
	d = c.serve(t, data, rosterFile)
	for _, story := range []string{ended, open} {
		if s := d.ends(t, story); *s.Outcome != "attached" {
			t.Errorf("%s ended as %s", story, verdict(s))
		}
	}
	if got := havipRuns(t, []string{"HAVIP_HOST=" + d.url()}, "story", late); got.code != exitOther {
		t.Errorf("what came after the backup: %+v", got)
	}
}

// A cluster that was backed up while a host ran on it, and restored on new disks, knows
// what had ended, and what was open ends.
func TestBackupOfACluster(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("nats"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("nobody takes the backup: %v; install natscli", err)
	}
	for name, missing := range map[string]string{
		"whole":                                "",
		"without the record of the open story": "$KV.havip-ledger.alibaba.cn-hangzhou.havip-bp1orders", // as where it is written meanwhile
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testBackup(t, missing)
		})
	}
}

func testBackup(t *testing.T, missing string) {
	c, rosterFile, backup := simulate(t, "--associate-time", "1s"), builtinRoster(t), t.TempDir()
	on := func(node *server.Server) *daemon {
		return start(t, c.env, "serve", "--addr", "127.0.0.1:0", "--nats", node.ClientURL(), "--roster", rosterFile)
	}
	sh := func(node *server.Server, has string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", quotedIn(t, "sh", has)) //nolint:gosec // our own page
		cmd.Dir, cmd.Env = backup, append(os.Environ(), "HAVIP_NATS="+node.ClientURL(), "XDG_CONFIG_HOME="+backup)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
	before := node(t)
	d := on(before)
	ended := d.accept(t, structured("1", "instance.started", "baidu", "bj", "i-syG1"))[0]
	d.ends(t, ended)
	open := d.accept(t, structured("2", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))[0]
	c.called(t, "AssociateHaVip")
	sh(before, "backup account")
	d.kill()
	after := node(t)
	sh(after, "restore account")
	if missing != "" {
		forget(t, after, missing)
	}
	d = on(after)
	// A look that was under way may be in the backup of no stream: the sweep sees to it.
	for _, story := range []string{ended, open} {
		eventually(t, "the story is known, by its look at the latest", func() bool {
			_, err := d.client().story(t.Context(), story)
			return err == nil
		})
		s := d.endsWithin(t, story, 4*time.Minute)
		// Without its record, the call may be forgotten: what it did is there all the same.
		forgotten := missing != "" && story == open && *s.Outcome == "unchanged"
		if *s.Outcome != "attached" && !forgotten {
			t.Errorf("%s ended as %s", story, verdict(s))
		}
	}
}

// forget takes a record out of a ledger.
func forget(t *testing.T, node *server.Server, subject string) {
	t.Helper()
	conn, err := nats.Connect(node.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	records, err := js.Stream(t.Context(), "KV_havip-ledger")
	if err == nil {
		err = records.Purge(t.Context(), jetstream.WithPurgeSubject(subject))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// node is a NATS of one node.
func node(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true, JetStream: true, StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("no NATS")
	}
	return s
}

// The proxy as the page configures it: it brings the proof and the client's address, and
// nobody is believed for coming from this machine.
func TestBehindNginx(t *testing.T) {
	t.Parallel()
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("nobody reads the configuration: %v; install nginx", err)
	}
	c := simulate(t, "--associate-time", "50ms")
	d := start(t, append([]string{"HAVIP_INGRESS_TOKEN=hush-hush-hush-token", operatorToken}, c.env...), "serve", "--addr", "127.0.0.1:0",
		"--data", t.TempDir(), "--roster", builtinRoster(t), "--behind-proxy", "127.0.0.1", "--rate", "0.01")
	at, pool := proxied(t, nginx, d)
	ask := func(from, token, pretends string) int {
		t.Helper()
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		client := &http.Client{Transport: &http.Transport{
			DialContext:     dialer.DialContext,
			TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS12},
		}}
		defer client.CloseIdleConnections()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+at+"/api/havips", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		r.Header.Set("X-Forwarded-For", pretends)
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	var codes []int
	for i := range 3 {
		codes = append(codes, ask("127.0.0.2", "", fmt.Sprintf("192.0.2.%d", i)))
	}
	if !slices.Equal(codes, []int{http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusTooManyRequests}) {
		t.Errorf("a stranger who pretends is answered %d", codes)
	}
	if got := ask("127.0.0.3", "hush-hush-hush-operator", ""); got != http.StatusOK {
		t.Errorf("an operator from elsewhere is answered %d", got)
	}
}

// proxied runs nginx before the host, as deploy/selfhosted/README.md says.
func proxied(t *testing.T, nginx string, d *daemon) (at string, pool *x509.CertPool) {
	t.Helper()
	folder := t.TempDir()
	at = "127.0.0.1:" + ledgertest.Port(t)
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	key, err := x509.MarshalPKCS8PrivateKey(s.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"fullchain.pem": {Type: "CERTIFICATE", Bytes: s.Certificate().Raw}, "key.pem": {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := strings.NewReplacer("listen 443 ssl", "listen "+at+" ssl", "/etc/ssl/havip", folder, "http://127.0.0.1:8080", d.url()).
		Replace(quotedIn(t, "nginx", "server {"))
	conf := fmt.Sprintf("daemon off; master_process off; pid %[1]s/pid; error_log stderr;\nevents {}\nhttp {\naccess_log %[1]s/access.log;\nclient_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;\n%[2]s}\n", folder, server)
	path := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	said := &strings.Builder{}
	cmd := exec.CommandContext(t.Context(), nginx, "-e", "stderr", "-p", folder, "-c", path) //nolint:gosec // as it was found
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait() // it ends with the test's context
		if t.Failed() {
			t.Log(said.String())
		}
	})
	eventually(t, "nginx answers", func() bool {
		conn, err := net.Dial("tcp", at)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	pool = x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return at, pool
}

// Prometheus looks at the host under the name that the alerts ask for.
func TestMonitoringIsNamedAsTheAlertsAsk(t *testing.T) {
	var config struct {
		Files []string `yaml:"rule_files"`
		Jobs  []struct {
			Name string `yaml:"job_name"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(quotedIn(t, "yaml", "scrape_configs")), &config); err != nil {
		t.Fatal(err)
	}
	if alerts := readText(t, "../selfhosted/"+config.Files[0]); !strings.Contains(alerts, `up{job="`+config.Jobs[0].Name+`"}`) {
		t.Errorf("no alert asks for the job %s", config.Jobs[0].Name)
	}
}
