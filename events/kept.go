package events

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Structured gives what is to be kept of an HTTP request that [ReadHTTP] refused.
// In binary mode that is one structured CloudEvent: its attributes are those of
// the ce- headers, as they came where they can't be decoded, and the body is its
// data where it is JSON, else its data_base64. In any other mode it is the body,
// untouched. What was wrong in the data is wrong for the same reason when [Read]
// reads it, as long as the event with its attributes stays within [MaxEvent].
func Structured(header http.Header, body []byte) []byte {
	if kind, _ := mediaType(header); !isBinary(header, kind) {
		return body
	}
	event := writtenAttributes(header)
	kind := header.Get("Content-Type")
	if written := writtenType(kind); written != "" {
		event["datacontenttype"] = written
	}
	switch {
	case len(body) == 0:
	case isJSON(kind) && isData(body):
		event["data"] = json.RawMessage(body)
	default:
		event["data_base64"] = body
	}
	written, _ := Encode(event) // of texts, bytes and scanned JSON alone
	return written
}

// Types names the types of the events in what nobody could read, as far as they can
// be made out.
func Types(payload []byte) string {
	type event struct{ Type string }
	var list []event
	if json.Unmarshal(payload, &list) != nil {
		list = make([]event, 1)
		_ = json.Unmarshal(payload, &list[0]) // else it has none
	}
	const most = 3
	var types []string
	for _, e := range list {
		name := printable(fitting(e.Type, maxShort))
		if name == "" || slices.Contains(types, name) {
			continue
		}
		if len(types) == most {
			return strings.Join(append(types, "…"), ", ")
		}
		types = append(types, name)
	}
	return strings.Join(types, ", ")
}

// writtenAttributes are the attributes of a request in binary mode, good or bad.
// Of a bad one no letter is left that would be refused in JSON.
func writtenAttributes(header http.Header) map[string]any {
	event := make(map[string]any)
	for name, values := range attributeHeaders(header) {
		value, ok := decodeOnly(values)
		if !ok {
			value = printable(strings.ToValidUTF8(strings.Join(values, ", "), "\uFFFD"))
		}
		event[name] = value
	}
	delete(event, "data") // no header can hold the data, or say what it is
	delete(event, "datacontenttype")
	return event
}

// writtenType is the body's media type. Of a bad one no more is left than whether
// it means JSON: it would hide what else is wrong.
func writtenType(kind string) string {
	switch {
	case isMediaType(kind) && !hasControl(kind):
		return kind
	case isJSON(kind):
		return ""
	default:
		return "application/octet-stream"
	}
}

// isData tells whether a body, as the data of an event, is read as by itself. A
// null there would count as no data at all.
func isData(body []byte) bool {
	s := scanner{buf: body, depth: 1}
	s.space()
	return utf8.Valid(body) && s.peek() != 'n' && s.document() == nil
}
