package sign

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const bceAuth = "bce-auth-v1"

// BCE is what an Authorization header of bce-auth-v1 holds.
type BCE struct {
	KeyID     string
	At        time.Time
	Lives     time.Duration
	Signed    []string // lower-case header names; none: the standard's choice
	prefix    string   // what the signing key is derived from
	signature string
}

// ParseBCE is not ok where the header is another's, or malformed.
func ParseBCE(authorization string) (h BCE, ok bool) {
	parts := strings.Split(authorization, "/")
	if len(parts) != 6 || parts[0] != bceAuth {
		return h, false
	}
	at, err := time.Parse(time.RFC3339, parts[2])
	seconds, err2 := strconv.Atoi(parts[3])
	if err != nil || err2 != nil {
		return h, false
	}
	h = BCE{
		KeyID: parts[1], At: at, Lives: time.Duration(seconds) * time.Second,
		prefix: strings.Join(parts[:4], "/"), signature: parts[5],
	}
	if parts[4] != "" {
		h.Signed = strings.Split(strings.ToLower(parts[4]), ";")
	}
	return h, true
}

// Matches tells whether the secret gives the header's signature. Clients differ
// in the digits of their escapes: both cases are right.
// https://cloud.baidu.com/doc/Reference/s/njwvz1yfu
func (h BCE) Matches(r *http.Request, secret string) bool {
	return slices.ContainsFunc([]string{upperHex, lowerHex}, func(digits string) bool {
		return Same(h.sign(r, secret, digits), h.signature)
	})
}

func (h BCE) sign(r *http.Request, secret, digits string) string {
	names := h.Signed
	if len(names) == 0 {
		names = bceStandard(r)
	}
	lines := make([]string, 0, len(names))
	for _, name := range names {
		if v := Header(r, name); v != "" {
			lines = append(lines, percentEncode(name, "", digits)+":"+percentEncode(v, "", digits))
		}
	}
	slices.Sort(lines)
	canonical := strings.Join([]string{
		r.Method,
		percentEncode(orSlash(r.URL.Path), "/", digits),
		sortedPairs(FirstValues(r.URL.Query()), digits),
		strings.Join(lines, "\n"),
	}, "\n")
	return hexHMAC([]byte(hexHMAC([]byte(secret), h.prefix)), canonical)
}

// bceStandard are the headers that are signed where the client names none.
func bceStandard(r *http.Request) []string {
	names := []string{"host", "content-length", "content-type", "content-md5"}
	for k := range r.Header {
		if name := strings.ToLower(k); strings.HasPrefix(name, "x-bce-") {
			names = append(names, name)
		}
	}
	return names
}

// Header reads a header by its lower-case name, those too that net/http
// keeps elsewhere.
func Header(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		if r.ContentLength >= 0 {
			return strconv.FormatInt(r.ContentLength, 10)
		}
		return ""
	default:
		return strings.TrimSpace(r.Header.Get(name))
	}
}

// Same compares without telling by its time where two texts differ.
func Same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
