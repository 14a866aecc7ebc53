package tablestore

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"havip-functions/shared/havip"
)

const (
	version    = "2015-12-31"
	dateFormat = "2006-01-02T15:04:05.000Z"
)

// Sign signs a request with its body, at a time.
// https://www.alibabacloud.com/help/doc-detail/27299.htm
func Sign(r *http.Request, instance string, keys havip.Credentials, body []byte, at time.Time) {
	sum := md5.Sum(body)
	r.Header.Set("X-Ots-Date", at.UTC().Format(dateFormat))
	r.Header.Set("X-Ots-Apiversion", version)
	r.Header.Set("X-Ots-Accesskeyid", keys.AccessKeyID)
	r.Header.Set("X-Ots-Instancename", instance)
	r.Header.Set("X-Ots-Contentmd5", base64.StdEncoding.EncodeToString(sum[:]))
	if keys.SecurityToken != "" {
		r.Header.Set("X-Ots-Ststoken", keys.SecurityToken)
	}
	r.Header.Set("X-Ots-Signature", signatureOf(r, keys.AccessKeySecret))
}

func signatureOf(r *http.Request, secret string) string {
	var signed []string
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Ots-") {
			signed = append(signed, strings.ToLower(name)+":"+strings.TrimSpace(r.Header.Get(name))+"\n")
		}
	}
	slices.Sort(signed)
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(r.URL.Path + "\n" + r.Method + "\n\n" + strings.Join(signed, "")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
