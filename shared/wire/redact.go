package wire

import (
	"net/http"
	"net/url"
	"strings"
)

// stringToSign opens the part of a signature error that repeats the request.
const stringToSign = "server string to sign"

const maxMessage = 512

// redact takes every spelling of the secrets out of a message and shortens it.
// Twice escaped is how a string to sign carries them.
func redact(message string, secrets []string) string {
	message, _, _ = strings.Cut(message, stringToSign)
	for _, secret := range secrets {
		once := url.QueryEscape(secret)
		for _, s := range []string{secret, once, url.QueryEscape(once)} {
			if s != "" {
				message = strings.ReplaceAll(message, s, "***")
			}
		}
	}
	return strings.ToValidUTF8(message[:min(len(message), maxMessage)], "")
}

// signatures finds those of a request, which a mirror's error page may repeat.
func signatures(req *http.Request) []string {
	if req == nil {
		return nil
	}
	auth := req.Header.Get("Authorization")
	return []string{req.URL.Query().Get("Signature"), auth[strings.LastIndexAny(auth, "/=")+1:]}
}
