package events

import (
	"encoding/base64"
	"mime"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// CloudEvents asks for names of 20 letters at most; aliyunoriginalaccountid has 23.
const (
	maxName       = 64
	maxAttributes = 128
)

func readStructured(f *fields, arrived time.Time) (Event, error) {
	if version := f.text("specversion"); f.err == nil && version != "1.0" {
		f.fail("specversion", "%s is not read; send 1.0", shown(version))
	}
	f.checkAttributes()
	v := envelope{
		id:          f.text("id"),
		source:      f.text("source"),
		kind:        f.text("type"),
		subject:     f.text("subject"),
		time:        f.extension("time"),
		expiry:      f.extension("expirytime"),
		traceParent: f.extension("traceparent"),
		traceState:  f.extension("tracestate"),
		causation:   f.extension("causationid"),
		region:      f.extension("aliyunregionid"),
	}
	if f.err != nil {
		return Event{}, f.err
	}
	if err := v.setData(f); err != nil {
		return Event{}, err
	}
	return v.event(arrived)
}

// checkAttributes holds every attribute to the rules of CloudEvents for names
// and values, those too that we don't use.
func (f *fields) checkAttributes() {
	if len(f.members) > maxAttributes {
		f.fail("", "has %d attributes; send %d at most, and the rest in data", len(f.members), maxAttributes)
	}
	for _, m := range f.members {
		name := string(m.name)
		switch name {
		case "data", "data_base64":
			continue
		case "datacontenttype":
			if kind := f.text(name); kind != "application/json" && !isMediaType(kind) && f.has(name) {
				f.fail(name, "%s is no media type; send application/json", shown(kind))
			}
		default:
			f.checkAttribute(m)
		}
	}
}

func (f *fields) checkAttribute(m member) {
	if !isAttributeName(string(m.name)) {
		f.fail(named(m.name), "is no attribute's name; use a-z and 0-9 only")
	}
	if len(m.name) > maxName {
		f.fail(string(m.name[:maxName+1]), "is too long for an attribute's name; use %d letters at most", maxName)
	}
	switch m.kind() {
	case '"':
		if !m.fitsLog() {
			f.fail(named(m.name), "must not hold control characters")
		}
	case '{', '[':
		f.fail(named(m.name), "an attribute holds no objects or lists; put it into data")
	case 't', 'f', 'n':
	default:
		if _, err := strconv.ParseInt(string(m.raw), 10, 32); err != nil {
			f.fail(named(m.name), "a number must be whole and fit 32 bits; send a string")
		}
	}
}

// extension gives the text of a checked attribute of any type.
func (f *fields) extension(name string) string {
	m, ok := f.find(name)
	if !ok || m.kind() == '"' {
		return f.text(name)
	}
	return string(m.raw)
}

func (v *envelope) setData(f *fields) error {
	plain, hasPlain := f.find("data")
	encoded, hasEncoded := f.find("data_base64")
	switch {
	case len(plain.name) > 0 && len(encoded.name) > 0:
		return invalid("data_base64", "stands beside data; send one of them")
	case hasPlain:
		v.dataAt, v.data = "data", plain.raw
	case hasEncoded:
		return v.setBase64(f)
	default:
		v.dataAt = "data"
	}
	return nil
}

func (v *envelope) setBase64(f *fields) error {
	data, err := base64.StdEncoding.Strict().DecodeString(f.anyText("data_base64"))
	if err != nil || f.err != nil {
		return invalid("data_base64", "must be a string in base64 (RFC 4648)")
	}
	return v.setBody("data_base64", data, f.text("datacontenttype"))
}

// setBody takes data of a media type that was not scanned yet. What calls itself
// JSON must be it.
func (v *envelope) setBody(at string, data []byte, kind string) error {
	v.dataAt, v.data, v.opaque = at, data, len(data) > 0
	if isJSON(kind) {
		return v.scan()
	}
	return nil
}

// scan makes sure that the data is JSON.
func (v *envelope) scan() error {
	if !v.opaque {
		return nil
	}
	v.opaque = false
	if !utf8.Valid(v.data) {
		return invalid(v.dataAt, "not UTF-8; encode it so")
	}
	s := scanner{buf: v.data}
	return within(v.dataAt, s.document())
}

func isJSON(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind == "" || kind == "application/json" || strings.HasSuffix(kind, "+json")
}

func isMediaType(s string) bool {
	_, _, err := mime.ParseMediaType(s)
	return err == nil
}

func isAttributeName(s string) bool {
	for _, c := range []byte(s) {
		if !isAlnum(c) || c >= 'A' && c <= 'Z' {
			return false
		}
	}
	return s != ""
}
