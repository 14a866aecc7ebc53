package guard

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The headers of Alibaba EventBridge that its signatures need. They cover the
// official ones in this order.
//
// https://help.aliyun.com/zh/eventbridge/user-guide/signature-algorithm
const (
	signatureTimestamp = "x-eventbridge-signature-timestamp"
	signatureMethod    = "x-eventbridge-signature-method"
	hashMethod         = "x-eventbridge-hash-method"
	signatureVersion   = "x-eventbridge-signature-version"
	signatureURL       = "x-eventbridge-signature-url"
	signatureToken     = "x-eventbridge-signature-token"
	signatureSecret    = "x-eventbridge-signature-secret"
	signatureV1        = "x-eventbridge-signature"
	signatureV2        = "x-eventbridge-signature-v2"
)

// bridgeTolerance is what EventBridge's documents ask for.
const bridgeTolerance = time.Minute

// EventBridge checks the signatures of Alibaba EventBridge. Any customer of it
// can have it sign anything for any URL, and a secret of version 1 is everyone's
// who holds the public key: a signature shows only that nobody changed the
// request on its way. Who sent it is shown by the token.
type EventBridge struct {
	url          string // of the target; the signature covers it
	certificates certificates
}

// NewEventBridge makes one for the target with this URL, as EventBridge has it.
func NewEventBridge(url string) *EventBridge {
	return &EventBridge{url: url, certificates: newCertificates(http.DefaultTransport)}
}

func (g Guard) fromEventBridge(r *http.Request, body []byte) error {
	if !knows(g.Tokens, r.Header.Get(signatureToken)) {
		return unproven("the token is none of ours")
	}
	if g.EventBridge == nil {
		return nil
	}
	return g.EventBridge.check(r.Context(), r.Header, body)
}

func (e *EventBridge) check(ctx context.Context, h http.Header, body []byte) error {
	if err := covered(h); err != nil {
		return err
	}
	stamp, unit := h.Get(signatureTimestamp), time.Millisecond
	if len(stamp) <= len("1700000000") {
		unit = time.Second
	}
	if err := fresh(stamp, unit, bridgeTolerance); err != nil {
		return err
	}
	key, err := e.certificates.key(ctx, h.Get(signatureURL))
	if err != nil {
		return err
	}
	if h.Get(signatureV2) != "" {
		return e.checkV2(key, h, body)
	}
	return e.checkV1(key, h, body)
}

// checkV2 is RSA with SHA-256.
func (e *EventBridge) checkV2(key *rsa.PublicKey, h http.Header, body []byte) error {
	sig, err := base64.StdEncoding.DecodeString(h.Get(signatureV2))
	if err != nil || h.Get(hashMethod) != "SHA256" {
		return unproven("the signature of EventBridge can't be read; it must be SHA256 in base64")
	}
	for _, text := range e.signedText(h, hashMethod, body) {
		sum := sha256.Sum256(text)
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig) == nil {
			return nil
		}
	}
	return misfit()
}

// checkV1 is HMAC-SHA1 with a secret that comes along, wrapped with RSA.
func (e *EventBridge) checkV1(key *rsa.PublicKey, h http.Header, body []byte) error {
	sig, err := base64.StdEncoding.DecodeString(h.Get(signatureV1))
	wrapped, badSecret := base64.StdEncoding.DecodeString(h.Get(signatureSecret))
	if err != nil || badSecret != nil || h.Get(signatureMethod) != "HMAC-SHA1" {
		return unproven("the signature of EventBridge can't be read; it must be HMAC-SHA1 in base64")
	}
	secret, err := unwrap(key, wrapped)
	if err != nil {
		return misfit()
	}
	for _, text := range e.signedText(h, signatureMethod, body) {
		mac := hmac.New(sha1.New, secret)
		mac.Write(text)
		if hmac.Equal(mac.Sum(nil), sig) {
			return nil
		}
	}
	return misfit()
}

// signedText is what a signature covers. The documents end it with the body, the
// vendor's own code with a line break behind that: both count.
func (e *EventBridge) signedText(h http.Header, method string, body []byte) [][]byte {
	text := e.url + "\n"
	for _, name := range []string{signatureTimestamp, method, signatureVersion, signatureURL, signatureToken} {
		text += name + ": " + h.Get(name) + "\n"
	}
	plain := append([]byte(text), body...)
	return [][]byte{plain, append(slices.Clone(plain), '\n')}
}

// unwrap undoes what a private key did to a short text, as one would check a
// signature without knowing its hash (RFC 8017, 8.2.2 and 9.2: 00 01 FF… 00 text).
func unwrap(key *rsa.PublicKey, wrapped []byte) ([]byte, error) {
	m := new(big.Int).SetBytes(wrapped)
	if m.Cmp(key.N) >= 0 || len(wrapped) != key.Size() {
		return nil, errors.New("not of this key")
	}
	block := m.Exp(m, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, key.Size()))
	padding, text, ok := strings.Cut(string(block[2:]), "\x00")
	if block[0] != 0 || block[1] != 1 || !ok || len(padding) < 8 || padding != strings.Repeat("\xff", len(padding)) || text == "" {
		return nil, errors.New("not of this key")
	}
	return []byte(text), nil
}

func misfit() error {
	return unproven("the signature of EventBridge does not fit; check HAVIP_EVENTBRIDGE_URL")
}
