package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

const acs3 = "ACS3-HMAC-SHA256"

// acs3Header is what an Authorization header of the third signature holds.
type acs3Header struct {
	keyID     string
	signed    []string // lower-case header names, in the order of the header
	signature string
}

func parseACS3(authorization string) (h acs3Header, ok bool) {
	rest, ok := strings.CutPrefix(authorization, acs3)
	if !ok {
		return h, false
	}
	for field := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			h.keyID = value
		case "SignedHeaders":
			h.signed = strings.Split(strings.ToLower(value), ";")
		case "Signature":
			h.signature = value
		}
	}
	return h, h.keyID != "" && len(h.signed) > 0 && h.signature != ""
}

// signACS3 is the signature of a request whose body has the given hash, and the
// string that it signs.
// https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
func signACS3(r *http.Request, signed []string, secret string) (signature, toSign string) {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + percentEncode(orSlash(r.URL.Path), "/", upperHex) + "\n")
	b.WriteString(sortedQuery(firstValues(r.URL.Query())) + "\n")
	for _, name := range signed {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(signed, ";") + "\n" + headerValue(r, "x-acs-content-sha256"))
	toSign = acs3 + "\n" + hexSHA256([]byte(b.String()))
	return hexHMAC([]byte(secret), toSign), toSign
}

func hexSHA256(data []byte) string {
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

// firstValues drops all but the first value of a name.
func firstValues(all map[string][]string) map[string]string {
	first := make(map[string]string, len(all))
	for k, v := range all {
		first[k] = v[0]
	}
	return first
}
