package alibaba

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"havip-functions/shared/havip"
)

const acs3 = "ACS3-HMAC-SHA256"

// Sign puts the headers of ACS3-HMAC-SHA256 on a request that has its
// x-acs-action and x-acs-version,
// https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
func Sign(r *http.Request, body []byte, c havip.Credentials) {
	r.Header.Set("x-acs-date", time.Now().UTC().Format("2006-01-02T15:04:05Z"))
	r.Header.Set("x-acs-signature-nonce", rand.Text())
	r.Header.Set("x-acs-content-sha256", hexSum(body))
	if c.SecurityToken != "" {
		r.Header.Set("x-acs-security-token", c.SecurityToken)
	}
	r.Header.Set("Authorization", authorization(r, c))
}

func authorization(r *http.Request, c havip.Credentials) string {
	headers, names := canonicalHeaders(r)
	canonical := strings.Join([]string{
		r.Method, r.URL.EscapedPath(), canonicalQuery(r), headers, names, r.Header.Get("x-acs-content-sha256"),
	}, "\n")
	mac := hmac.New(sha256.New, []byte(c.AccessKeySecret))
	mac.Write([]byte(acs3 + "\n" + hexSum([]byte(canonical))))
	return acs3 + " Credential=" + c.AccessKeyID + ",SignedHeaders=" + names +
		",Signature=" + hex.EncodeToString(mac.Sum(nil))
}

// canonicalHeaders gives the lines and the names of what is signed: host,
// content-type and x-acs-*.
func canonicalHeaders(r *http.Request) (lines, names string) {
	signed := []string{"host"}
	for name := range r.Header {
		if name = strings.ToLower(name); name == "content-type" || strings.HasPrefix(name, "x-acs-") {
			signed = append(signed, name)
		}
	}
	slices.Sort(signed)
	var b strings.Builder
	for _, name := range signed {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		b.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	return b.String(), strings.Join(signed, ";")
}

// canonicalQuery sorts and escapes; a space is %20, which url.Values says as +.
func canonicalQuery(r *http.Request) string {
	return strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20")
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
