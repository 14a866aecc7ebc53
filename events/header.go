package events

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// decodeHeader collects the attributes of an event in binary mode. A header that
// can't be one of an attribute is the sender's slip: it costs that header, unless
// it names an attribute that the event's meaning depends on.
func decodeHeader(header http.Header) (map[string]string, error) {
	attributes := make(map[string]string)
	for name, values := range attributeHeaders(header) {
		value, ok := decodeOnly(values)
		switch {
		case ok:
			attributes[name] = value
		case weighs(name):
			return nil, invalid(name, "the header can't be read; send it once, percent-encoded UTF-8 without control characters")
		}
	}
	return attributes, nil
}

// attributeHeaders gives the values of the headers that can be an attribute's, by
// the attribute's name, always in one order.
func attributeHeaders(header http.Header) map[string][]string {
	found := make(map[string][]string)
	for _, key := range slices.Sorted(maps.Keys(header)) {
		name, ok := strings.CutPrefix(strings.ToLower(key), "ce-")
		if ok && isAttributeName(name) && len(name) <= maxName {
			found[name] = append(found[name], header[key]...)
		}
	}
	return found
}

// decodeOnly decodes the value of a header that was sent once.
func decodeOnly(values []string) (string, bool) {
	if len(values) != 1 {
		return "", false
	}
	return decodeValue(values[0])
}

// weighs tells whether an event may not go on without the attribute, once sent.
func weighs(name string) bool {
	switch name {
	case "specversion", "id", "source", "type", "expirytime":
		return true
	default:
		return false
	}
}

// decodeValue undoes what the HTTP binding asks of a sender: double quotes with
// backslashes, then percent-encoding. The result is UTF-8 without controls.
//
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#3132-http-header-values
func decodeValue(value string) (string, bool) {
	value = strings.Trim(value, " \t")
	if strings.HasPrefix(value, `"`) {
		var ok bool
		if value, ok = unquote(value); !ok {
			return "", false
		}
	}
	value, ok := unpercent(value)
	return value, ok && utf8.ValidString(value) && !hasControl(value)
}

func unquote(value string) (string, bool) {
	var b strings.Builder
	for i := 1; i < len(value); i++ {
		switch value[i] {
		case '"':
			return b.String(), i == len(value)-1
		case '\\':
			if i++; i == len(value) {
				return "", false
			}
		}
		b.WriteByte(value[i])
	}
	return "", false
}

func unpercent(value string) (string, bool) {
	if !strings.Contains(value, "%") {
		return value, true
	}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] != '%' {
			b.WriteByte(value[i])
			continue
		}
		if len(value)-i < 3 || hexDigit(value[i+1]) < 0 || hexDigit(value[i+2]) < 0 {
			return "", false
		}
		b.WriteByte(byte(hexDigit(value[i+1])<<4 | hexDigit(value[i+2])))
		i += 2
	}
	return b.String(), true
}
