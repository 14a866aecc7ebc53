package sign

import (
	"maps"
	"slices"
	"strings"
)

const (
	upperHex = "0123456789ABCDEF"
	lowerHex = "0123456789abcdef"
)

// percentEncode escapes all but RFC 3986's unreserved characters, with these
// digits; what keep holds stays as well.
func percentEncode(s, keep, digits string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/2)
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '_', c == '.', c == '~', strings.IndexByte(keep, c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

// sortedQuery is the escaped query in the order of its names, as Alibaba signs it.
func sortedQuery(params map[string]string) string {
	var b strings.Builder
	for i, k := range slices.Sorted(maps.Keys(params)) {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(percentEncode(k, "", upperHex) + "=" + percentEncode(params[k], "", upperHex))
	}
	return b.String()
}

// sortedPairs is the escaped query in the order of its pairs, as Baidu signs it.
func sortedPairs(params map[string]string, digits string) string {
	pairs := make([]string, 0, len(params))
	for k, v := range params {
		if !strings.EqualFold(k, "authorization") {
			pairs = append(pairs, percentEncode(k, "", digits)+"="+percentEncode(v, "", digits))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}
