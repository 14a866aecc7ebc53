package ledger_test

import (
	"crypto/tls"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"havip-functions/shared/ledger"
)

// A cluster that asks for credentials and has certificates of its own lets in who has
// both, and who lacks one hears what is wrong.
func TestConnectNATS(t *testing.T) {
	t.Parallel()
	at, credentials, ca := guarded(t)
	conn, err := ledger.NATS{URLs: at, Credentials: credentials, CA: ca}.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	onCluster(t, conn, 1)
	for want, n := range map[string]ledger.NATS{
		"Authorization Violation":          {URLs: at, CA: ca},
		"x509: certificate":                {URLs: at, Credentials: credentials},
		"no such file":                     {URLs: at, Credentials: credentials, CA: ca + "?"},
		"NATS at 127.0.0.1:1, localhost:2": {URLs: "nats://u:hush@127.0.0.1:1, nats://hush@localhost:2"},
		"an address that can't be read":    {URLs: "nats://u:hush@127.0.0.1:x y"},
	} {
		conn, err := n.Connect()
		if err == nil {
			conn.Close()
		}
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), ",", ", "), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}

// guarded is a NATS with one account, whose user has credentials, and a certificate.
func guarded(t *testing.T) (at, credentials, ca string) {
	t.Helper()
	operator, _ := nkeys.CreateOperator()
	public := func(k nkeys.KeyPair) string { p, _ := k.PublicKey(); return p }
	resolver := &server.MemAccResolver{}
	account := func(name string, stores bool) nkeys.KeyPair {
		k, _ := nkeys.CreateAccount()
		claims := jwt.NewAccountClaims(public(k))
		if claims.Name = name; stores {
			claims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
		}
		text, err := claims.Encode(operator)
		if err == nil {
			err = resolver.Store(public(k), text)
		}
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	system, ours := account("system", false), account("havip", true)
	user, _ := nkeys.CreateUser()
	let, err := jwt.NewUserClaims(public(user)).Encode(ours)
	if err != nil {
		t.Fatal(err)
	}
	seed, _ := user.Seed()
	text, err := jwt.FormatUserConfig(let, seed)
	if err != nil {
		t.Fatal(err)
	}
	signed := httptest.NewTLSServer(nil) // for its certificate, of 127.0.0.1
	signed.Close()
	s, err := server.NewServer(&server.Options{
		ServerName: "guarded", Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true, JetStream: true, StoreDir: t.TempDir(),
		TrustedKeys: []string{public(operator)}, AccountResolver: resolver, SystemAccount: public(system),
		TLS: true, TLSTimeout: 5, TLSConfig: &tls.Config{Certificates: signed.TLS.Certificates, MinVersion: tls.VersionTLS12},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("no NATS")
	}
	keep := func(name string, text []byte) string {
		at := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(at, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return at
	}
	return s.ClientURL(), keep("user.creds", text), keep("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed.Certificate().Raw}))
}
