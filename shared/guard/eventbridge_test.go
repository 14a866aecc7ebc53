package guard

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	target   = "https://functions.example.com/events"
	certHost = "https://cn-hangzhou-eventbridge.oss-accelerate.aliyuncs.com"
	certURL  = certHost + "/x509_public_certificate.pem"
)

// bridge is EventBridge: it signs, and serves its public key over TLS.
type bridge struct {
	key     *rsa.PrivateKey
	fetched atomic.Int32
	checker *EventBridge
}

func newBridge(t *testing.T) *bridge {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	b := &bridge{key: key}
	server := httptest.NewTLSServer(b)
	t.Cleanup(server.Close)
	b.checker = &EventBridge{url: target, certificates: newCertificates(&http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // httptest's certificate has another name
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
		},
	})}
	return b
}

func (b *bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.fetched.Add(1)
	switch r.URL.Path {
	case "/x509_public_certificate.pem":
		public, _ := x509.MarshalPKIXPublicKey(&b.key.PublicKey) // it is a key
		_ = pem.Encode(w, &pem.Block{Type: "PUBLIC KEY", Bytes: public})
	case "/moved":
		http.Redirect(w, r, "https://evil.example/x509_public_certificate.pem", http.StatusFound)
	case "/large":
		_, _ = w.Write(make([]byte, 1<<20))
	default:
		http.NotFound(w, r)
	}
}

// sent is what EventBridge sends now, not yet signed.
func sent(method string) http.Header {
	h := http.Header{}
	h.Set(signatureTimestamp, at(time.Now().UnixMilli()))
	h.Set(method, map[string]string{hashMethod: "SHA256", signatureMethod: "HMAC-SHA1"}[method])
	h.Set(signatureVersion, "1.0")
	h.Set(signatureURL, certURL)
	h.Set(signatureToken, "new-token-of-length")
	return h
}

// text is what it signs: written out here as the documents show it.
func text(h http.Header, method, end string) []byte {
	return []byte(target + "\n" +
		"x-eventbridge-signature-timestamp: " + h.Get("x-eventbridge-signature-timestamp") + "\n" +
		method + ": " + h.Get(method) + "\n" +
		"x-eventbridge-signature-version: 1.0\n" +
		"x-eventbridge-signature-url: " + h.Get("x-eventbridge-signature-url") + "\n" +
		"x-eventbridge-signature-token: new-token-of-length\n" + body + end)
}

func (b *bridge) v2(end string) http.Header {
	h := sent(hashMethod)
	sum := sha256.Sum256(text(h, "x-eventbridge-hash-method", end))
	sig, _ := rsa.SignPKCS1v15(nil, b.key, crypto.SHA256, sum[:]) // the key is large enough
	h.Set(signatureV2, base64.StdEncoding.EncodeToString(sig))
	return h
}

func (b *bridge) v1(end string) http.Header {
	h := sent(signatureMethod)
	secret := []byte("temporary")
	h.Set(signatureSecret, base64.StdEncoding.EncodeToString(b.wrap(1, 0xff, secret)))
	mac := hmac.New(sha1.New, secret)
	mac.Write(text(h, "x-eventbridge-signature-method", end))
	h.Set(signatureV1, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return h
}

// wrap does with the private key what unwrap undoes.
func (b *bridge) wrap(kind, padding byte, secret []byte) []byte {
	block := slices.Concat([]byte{0, kind}, slices.Repeat([]byte{padding}, b.key.Size()-3-len(secret)), []byte{0}, secret)
	return new(big.Int).Exp(new(big.Int).SetBytes(block), b.key.D, b.key.N).FillBytes(make([]byte, b.key.Size()))
}

func TestUnwrap(t *testing.T) {
	b := newBridge(t)
	for _, c := range []struct {
		name    string
		wrapped []byte
		want    string
	}{
		{"as it should be", b.wrap(1, 0xff, []byte("s")), "s"},
		{"another padding", b.wrap(1, 0xfe, []byte("s")), ""},
		{"of the other kind", b.wrap(2, 0xff, []byte("s")), ""},
		{"hardly any padding", b.wrap(1, 0xff, make([]byte, b.key.Size()-5)), ""},
		{"nothing inside", b.wrap(1, 0xff, nil), ""},
		{"too short", []byte{1}, ""},
		{"beyond the modulus", slices.Repeat([]byte{0xff}, b.key.Size()), ""},
	} {
		if got, err := unwrap(&b.key.PublicKey, c.wrapped); string(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

func TestEventBridge(t *testing.T) {
	b := newBridge(t)
	g := Guard{Tokens: []string{"new-token-of-length"}, EventBridge: b.checker}
	garbage := base64.StdEncoding.EncodeToString(make([]byte, b.key.Size()))
	for _, c := range []struct {
		name   string
		header http.Header
		want   string // "" for proven
	}{
		{"version 2", b.v2(""), ""},
		{"version 2 with a line break", b.v2("\n"), ""},
		{"version 1", b.v1("\n"), ""},
		{"version 1 without a line break", b.v1(""), ""},
		{"both, and 2 does not fit", with(b.v1("\n"), signatureV2, garbage), "can't be read"},
		{"of another token", with(b.v2(""), signatureToken, "x"), "token"},
		{"2 of another body", b.v2("x"), "does not fit"},
		{"1 of another body", b.v1("x"), "does not fit"},
		{"2 forged", with(b.v2(""), signatureV2, garbage), "does not fit"},
		{"1 forged", with(b.v1(""), signatureV1, garbage), "does not fit"},
		{"1 with another secret", with(b.v1(""), signatureSecret, garbage), "does not fit"},
		{"1 with a secret too short", with(b.v1(""), signatureSecret, "AAAA"), "does not fit"},
		{"1 with no secret", with(b.v1(""), signatureSecret, ""), "does not fit"},
		{"2 with no base64", with(b.v2(""), signatureV2, "%"), "can't be read"},
		{"1 with no base64", with(b.v1(""), signatureV1, "%"), "can't be read"},
		{"2 with another hash", with(b.v2(""), hashMethod, "MD5"), "can't be read"},
		{"1 with another hash", with(b.v1(""), signatureMethod, "none"), "can't be read"},
		{"unsigned", sent(hashMethod), "can't be read"},
		{"late", with(b.v2(""), signatureTimestamp, at(time.Now().Add(-61*time.Second).UnixMilli())), "1m0s from now"},
		{"late, in seconds", with(b.v2(""), signatureTimestamp, at(time.Now().Add(-61*time.Second).Unix())), "1m0s from now"},
		{"early", with(b.v2(""), signatureTimestamp, at(time.Now().Add(70*time.Second).UnixMilli())), "1m0s from now"},
		{"another time", with(b.v2(""), signatureTimestamp, at(time.Now().Add(5*time.Second).UnixMilli())), "does not fit"},
		{"binary mode", with(b.v2(""), "Ce-Specversion", "1.0"), "structured mode"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := over(t, g, "/events", c.header)
			if c.want == "" && err == nil {
				return
			}
			if c.want == "" || err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, ErrUnproven) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	if n := b.fetched.Load(); n != 1 {
		t.Errorf("the certificate was fetched %d times, want once", n)
	}
}

func TestOnlyOfficialCertificatesAreFetched(t *testing.T) {
	b := newBridge(t)
	for _, where := range []string{
		"", "http" + strings.TrimPrefix(certURL, "https"), certHost + ":8443/x.pem", certHost + "@evil.example/x.pem",
		"https://u:p@cn-hangzhou-eventbridge.oss-accelerate.aliyuncs.com/x.pem", "https://evil.example/x.pem",
		certHost + ".evil.example/x.pem", "https://-eventbridge.oss-accelerate.aliyuncs.com/x.pem",
		"https://evil.example/cn-eventbridge.oss-accelerate.aliyuncs.com", "https://a.b-eventbridge.oss-accelerate.aliyuncs.com/x",
		"https://cn-eventbridge.oss-accelerate.aliyuncs.com%00.evil.example/x", "https://cn-eventbridgeXoss-accelerate.aliyuncs.com/x",
		"https://cn-eventbridge.oss-accelerate.aliyuncs.com.\nevil.example/x",
		// Buckets that anybody may have.
		bucket("evil"), bucket("cn-hangzhou-evil"), bucket("evil-cn-hangzhou"), bucket("xn--hangzhou-b1a"), bucket("cn"), bucket("cn-hangzhou-1"),
		bucket("me-central-1"), bucket("ap-south-1"), // regions where EventBridge is not
		bucket("CN-HANGZHOU"), bucket("cn-hangzhou@evil"), bucket("cn-hangzhou "), bucket("cn-hangzhоu"), // the last with a Cyrillic o
		"https://cn-hangzhou-eventbridge.oss-accelerate.aliyuncs.com:443/x.pem", "https://u@cn-hangzhou-eventbridge.oss-accelerate.aliyuncs.com/x.pem",
		"https://cn-hangzhou-eventbridge.OSS-accelerate.aliyuncs.com/x.pem", "https://cn-hangzhou-eventbridge.oss-accelerate.aliyuncs.com./x.pem",
	} {
		if _, err := b.checker.certificates.key(t.Context(), where); !errors.Is(err, ErrUnproven) {
			t.Errorf("%q: %v", where, err)
		}
	}
	if n := b.fetched.Load(); n != 0 {
		t.Errorf("%d were fetched", n)
	}
}

func bucket(name string) string {
	return "https://" + name + "-eventbridge.oss-accelerate.aliyuncs.com/x509_public_certificate.pem"
}

func TestEveryRegionsCertificateIsFetched(t *testing.T) {
	b := newBridge(t)
	for _, region := range []string{"cn-hangzhou", "cn-shanghai-finance-1", "ap-southeast-6", "us-west-1"} {
		if _, err := b.checker.certificates.key(t.Context(), bucket(region)); err != nil {
			t.Errorf("%s: %v", region, err)
		}
	}
}

func TestCertificateThatCanNotBeHad(t *testing.T) {
	b := newBridge(t)
	for _, path := range []string{"/moved", "/large", "/missing"} {
		_, err := b.checker.certificates.key(t.Context(), certHost+path)
		if err == nil || errors.Is(err, ErrUnproven) {
			t.Errorf("%s: %v, want an error that is no verdict", path, err)
		}
	}
}

func TestCertificatesAreBounded(t *testing.T) {
	b := newBridge(t)
	for i := range 3 * maxKept {
		where := certURL + "?" + strings.Repeat("x", i)
		if _, err := b.checker.certificates.key(t.Context(), where); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(b.checker.certificates.state.keys); n > maxKept {
		t.Errorf("%d are kept", n)
	}
}
