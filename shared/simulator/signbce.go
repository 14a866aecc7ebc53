package simulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const bceAuth = "bce-auth-v1"

// bceHeader is what an Authorization header of bce-auth-v1 holds.
type bceHeader struct {
	keyID     string
	at        time.Time
	lives     time.Duration
	signed    []string // lower-case header names; none: the standard's choice
	prefix    string   // what the signing key is derived from
	signature string
}

func parseBCE(authorization string) (h bceHeader, ok bool) {
	parts := strings.Split(authorization, "/")
	if len(parts) != 6 || parts[0] != bceAuth {
		return h, false
	}
	at, err := time.Parse(time.RFC3339, parts[2])
	seconds, err2 := strconv.Atoi(parts[3])
	if err != nil || err2 != nil {
		return h, false
	}
	h = bceHeader{
		keyID: parts[1], at: at, lives: time.Duration(seconds) * time.Second,
		prefix: strings.Join(parts[:4], "/"), signature: parts[5],
	}
	if parts[4] != "" {
		h.signed = strings.Split(strings.ToLower(parts[4]), ";")
	}
	return h, true
}

// matches tells whether the secret gives the header's signature. Clients differ
// in the digits of their escapes: both cases are right.
// https://cloud.baidu.com/doc/Reference/s/njwvz1yfu
func (h bceHeader) matches(r *http.Request, secret string) bool {
	return slices.ContainsFunc([]string{upperHex, lowerHex}, func(digits string) bool {
		return sameText(h.sign(r, secret, digits), h.signature)
	})
}

func (h bceHeader) sign(r *http.Request, secret, digits string) string {
	names := h.signed
	if len(names) == 0 {
		names = bceStandard(r)
	}
	lines := make([]string, 0, len(names))
	for _, name := range names {
		if v := headerValue(r, name); v != "" {
			lines = append(lines, percentEncode(name, "", digits)+":"+percentEncode(v, "", digits))
		}
	}
	slices.Sort(lines)
	canonical := strings.Join([]string{
		r.Method,
		percentEncode(orSlash(r.URL.Path), "/", digits),
		sortedPairs(firstValues(r.URL.Query()), digits),
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

// headerValue reads a header by its lower-case name, those too that net/http
// keeps elsewhere.
func headerValue(r *http.Request, name string) string {
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
