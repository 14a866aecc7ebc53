// Package sign computes the signatures of both clouds from what a request holds:
// Alibaba's first (V1) and third (ACS3), and Baidu's bce-auth-v1. It knows no
// account and no clock.
package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

const acs3 = "ACS3-HMAC-SHA256"

// ACS3 is what an Authorization header of the third signature holds.
type ACS3 struct {
	KeyID     string
	Signed    []string // lower-case header names, in the order of the header
	Signature string
}

// IsACS3 tells whether an Authorization header is one of the third signature,
// well-formed or not.
func IsACS3(authorization string) bool { return strings.HasPrefix(authorization, acs3) }

// ParseACS3 is not ok where the header is another's, or lacks something.
func ParseACS3(authorization string) (h ACS3, ok bool) {
	rest, ok := strings.CutPrefix(authorization, acs3)
	if !ok {
		return h, false
	}
	for field := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			h.KeyID = value
		case "SignedHeaders":
			h.Signed = strings.Split(strings.ToLower(value), ";")
		case "Signature":
			h.Signature = value
		}
	}
	return h, h.KeyID != "" && len(h.Signed) > 0 && h.Signature != ""
}

// Sign is the signature that the secret gives, and the string that it signs. The
// body counts by the hash in its header.
// https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
func (h ACS3) Sign(r *http.Request, secret string) (signature, toSign string) {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + percentEncode(orSlash(r.URL.Path), "/", upperHex) + "\n")
	b.WriteString(sortedQuery(FirstValues(r.URL.Query())) + "\n")
	for _, name := range h.Signed {
		b.WriteString(name + ":" + Header(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(h.Signed, ";") + "\n" + Header(r, "x-acs-content-sha256"))
	toSign = acs3 + "\n" + Hash([]byte(b.String()))
	return hexHMAC([]byte(secret), toSign), toSign
}

// Hash is the SHA-256 of a body in hexadecimal digits, as ACS3 states it.
func Hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func hexHMAC(key []byte, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func orSlash(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// FirstValues drops all but the first value of a name.
func FirstValues(all map[string][]string) map[string]string {
	first := make(map[string]string, len(all))
	for k, v := range all {
		first[k] = v[0]
	}
	return first
}
