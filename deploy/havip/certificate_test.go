package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// issue writes a certificate for 127.0.0.1, and its key, as files.
func issue(t *testing.T, folder, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(folder, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	put(t, filepath.Join(folder, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
}

func put(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// shown is whom the host says it is.
func shown(t *testing.T, addr string) string {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // it is only looked at
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
}

// By TLS without a proxy: a command that trusts the certificate is answered, a new one
// is taken up without a restart, and a broken one is told and changes nothing.
func TestTLS(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	issue(t, folder, "first")
	c := simulate(t, "--associate-time", "50ms")
	cert, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	d := start(t, append([]string{operatorToken}, c.env...), "serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(),
		"--roster", builtinRoster(t), "--tls-cert", cert, "--tls-key", key)
	env := []string{operatorToken, "HAVIP_HOST=https://" + d.Addr, "SSL_CERT_FILE=" + cert}
	if r := havipRuns(t, env, "recover", "orders-db", "--reason", "by TLS", "--wait"); r.code != 0 || !strings.Contains(r.out, "attached") {
		t.Fatalf("%+v", r)
	}
	if r := havipRuns(t, []string{operatorToken, "HAVIP_HOST=https://" + d.Addr}, "status"); r.code == 0 || !strings.Contains(r.err, "certificate") {
		t.Errorf("whom nobody vouches for is believed: %+v", r)
	}
	put(t, cert, []byte("no PEM"))
	broken := time.Now()
	eventually(t, "the files are read", func() bool { return shown(t, d.Addr) != "first" || time.Since(broken) > 3*lookEvery })
	if name := shown(t, d.Addr); name != "first" {
		t.Errorf("with a broken certificate it is %s", name)
	}
	issue(t, folder, "second")
	eventually(t, "the new certificate serves", func() bool { return shown(t, d.Addr) == "second" })
	d.stop(t)
	if words := d.words.String(); strings.Count(words, "the new certificate is refused, the last good one serves") != 1 || !strings.Contains(words, "a new certificate serves") {
		t.Errorf("it said %s", words)
	}
	for flags, says := range map[string]string{
		"--tls-cert=" + cert: "name both",
		"--tls-cert=" + cert + " --tls-key=" + key + ".none": "--tls-key: ",
		"--tls-cert=" + key + " --tls-key=" + key:            "--tls-cert " + key,
	} {
		args := append([]string{"serve", "--addr", "127.0.0.1:0", "--simulate"}, strings.Fields(flags)...)
		if r := havipRuns(t, nil, args...); r.code != exitUsage || !strings.Contains(r.err, says) {
			t.Errorf("%s: %+v", flags, r)
		}
	}
}
