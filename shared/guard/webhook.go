package guard

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of Standard Webhooks.
//
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
const (
	webhookID        = "Webhook-Id"
	webhookTimestamp = "Webhook-Timestamp"
	webhookSignature = "Webhook-Signature"
)

// Tolerance is how far a sender's clock may be from ours. Within it a replay is
// the same event again, which the ledger knows for two days.
const Tolerance = 5 * time.Minute

// parseSecret reads a secret as its bytes, or as whsec_ with them in base64.
func parseSecret(text string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, "whsec_")
	if !ok {
		return []byte(text), nil
	}
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(secret) == 0 {
		return nil, errors.New("what follows whsec_ is not base64; copy the whole secret")
	}
	return secret, nil
}

// Sign adds the headers of Standard Webhooks for a body that is sent now. While one
// rotates its secret it signs with both, since a receiver may know only one.
func Sign(h http.Header, id string, body []byte, secrets ...[]byte) {
	at := strconv.FormatInt(time.Now().Unix(), 10)
	var signatures []string
	for _, secret := range secrets {
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(signature(secret, id, at, body)))
	}
	h.Set(webhookID, id)
	h.Set(webhookTimestamp, at)
	h.Set(webhookSignature, strings.Join(signatures, " "))
}

func signature(secret []byte, id, at string, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// signed checks a signature of Standard Webhooks. Its header may hold several,
// while the sender rotates its secret; other versions than v1 are passed over.
func (g Guard) signed(h http.Header, body []byte) error {
	id, at := h.Get(webhookID), h.Get(webhookTimestamp)
	if id == "" || len(h.Values(webhookID)) > 1 || len(h.Values(webhookTimestamp)) > 1 {
		return unproven("send webhook-id, webhook-timestamp and webhook-signature, each once")
	}
	if err := covered(h); err != nil {
		return err
	}
	if err := fresh(at, time.Second, Tolerance); err != nil {
		return err
	}
	for _, one := range strings.Fields(h.Get(webhookSignature)) {
		encoded, ok := strings.CutPrefix(one, "v1,")
		if got, err := base64.StdEncoding.DecodeString(encoded); ok && err == nil && g.made(got, id, at, body) {
			return nil
		}
	}
	return unproven("the signature does not fit; check the secret, and that nothing changes the body on its way")
}

func (g Guard) made(got []byte, id, at string, body []byte) bool {
	fits := false
	for _, secret := range g.Secrets {
		fits = hmac.Equal(got, signature(secret, id, at, body)) || fits
	}
	return fits
}

// fresh asks for a timestamp, counted in units since 1970, at most so far from now.
func fresh(stamp string, unit, tolerance time.Duration) error {
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return unproven("the timestamp is no whole number")
	}
	off := float64(time.Now().UnixNano()) - float64(n)*float64(unit)
	if off > float64(tolerance) || -off > float64(tolerance) {
		return unproven("the timestamp is more than %s from now; check the clock, and sign each try anew", tolerance)
	}
	return nil
}
