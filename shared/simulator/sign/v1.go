package sign

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"maps"
)

// V1 is Alibaba's HMAC-SHA1 signature over the parameters of query and form,
// and the string that it signs.
// https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism
func V1(method string, params map[string]string, secret string) (signature, toSign string) {
	signed := maps.Clone(params)
	delete(signed, "Signature")
	toSign = method + "&%2F&" + percentEncode(sortedQuery(signed), "", upperHex)
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(toSign))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil)), toSign
}
