package events

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestStructured(t *testing.T) {
	const head = `"id":"1","source":"/p","specversion":"1.0","type":"havip.health.failed"}`
	for _, c := range []struct {
		name, kind, body string
		more             http.Header
		want             string
	}{
		{"a bad member", "application/json", ` {"cloud" : "<aws>"} `, nil, `{"data":{"cloud":"<aws>"},"datacontenttype":"application/json",` + head},
		{"no media type", "", `{"cloud":"aws"}`, nil, `{"data":{"cloud":"aws"},` + head},
		{"a media type that is none", ";;", `{"cloud":"aws"}`, nil, `{"data":{"cloud":"aws"},` + head},
		{"a media type with a tab", "application/json;\tcharset=utf-8", `{"cloud":"aws"}`, nil, `{"data":{"cloud":"aws"},` + head},
		{"another that is none", "text/;", `{"cloud":"aws"}`, nil, `{"data_base64":"eyJjbG91ZCI6ImF3cyJ9","datacontenttype":"application/octet-stream",` + head},
		{"another charset", "application/json; charset=latin1", `"` + "\xe4" + `"`, nil, `{"data_base64":"IuQi","datacontenttype":"application/json; charset=latin1",` + head},
		{"no JSON", "application/json", `{`, nil, `{"data_base64":"ew==","datacontenttype":"application/json",` + head},
		{"JSON of another type", "text/plain", `{}`, nil, `{"data_base64":"e30=","datacontenttype":"text/plain",` + head},
		{"a member twice", "application/json", `{"a":1,"a":2}`, nil, `{"data_base64":"eyJhIjoxLCJhIjoyfQ==","datacontenttype":"application/json",` + head},
		{"null", "application/json", ` null`, nil, `{"data_base64":"IG51bGw=","datacontenttype":"application/json",` + head},
		{"no body", "application/json", ``, nil, `{"datacontenttype":"application/json",` + head},
		{"what can be decoded", "", "", http.Header{"Ce-Subject": {`"a \"%E4%BD%A0"`}, "Ce-X": {"<%25>"}},
			`{"id":"1","source":"/p","specversion":"1.0","subject":"a \"你","type":"havip.health.failed","x":"<%>"}`},
		{"what can't be", "", "", http.Header{"Ce-Subject": {"%C0%A0"}, "Ce-Time": {"a\tb"}, "Ce-X": {"\xff"}, "Ce-Y": {"1", "2"}, "ce-y": {"3"}},
			`{"id":"1","source":"/p","specversion":"1.0","subject":"%C0%A0","time":"a b","type":"havip.health.failed","x":"` + "\uFFFD" + `","y":"1, 2, 3"}`},
		{"what no attribute is called", "", "", http.Header{"Ce-A-B": {"x"}, "Ce-Data": {"x"}, "Ce-Datacontenttype": {"x"}, "X": {"y"}}, "{" + head},
	} {
		header := http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {"1"}, "Ce-Source": {"/p"}, "Ce-Type": {TypeHealthFailed}}
		for name, values := range c.more {
			header[name] = values
		}
		if c.kind != "" {
			header.Set("Content-Type", c.kind)
		}
		if got := Structured(header, []byte(c.body)); string(got) != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.name, got, c.want)
		}
		checkKept(t, header, []byte(c.body))
	}
}

func TestStructuredLeavesOtherModesAlone(t *testing.T) {
	for _, kind := range []string{"application/cloudevents+json", "application/cloudevents-batch+json", "application/cloudevents+xml"} {
		header := http.Header{"Content-Type": {kind}, "Ce-Specversion": {"1.0"}, "Ce-Id": {"1"}}
		if got := Structured(header, []byte(" {")); string(got) != " {" {
			t.Errorf("%s became %s", kind, got)
		}
	}
	if got := Structured(http.Header{"Ce-Id": {"1"}}, []byte(" {")); string(got) != " {" {
		t.Errorf("no mode at all became %s", got)
	}
}

// What is kept of every hostile request is refused for the same reason.
func TestHostileKept(t *testing.T) {
	for _, c := range hostileCases(t) {
		t.Run(c.Name, func(t *testing.T) { checkKept(t, c.header(), c.body()) })
	}
}

func FuzzStructured(f *testing.F) {
	f.Add("application/json", "1", "%20", TypeHealthFailed, []byte(data))
	f.Add("", "1", `"\"`, TypeSweep, []byte("null"))
	f.Add("text/plain", "%00", "a\tb", "com.example", []byte("\xff"))
	f.Add("application/json;;", "\x00", "ü", TypeRecover, []byte(strings.Repeat("[", 32)+strings.Repeat("]", 32)))
	f.Add("application/json", "1", "", TypeRecover, []byte(strings.Repeat("[", 32)+strings.Repeat("]", 32)))
	f.Fuzz(func(t *testing.T, mediaType, id, subject, kind string, body []byte) {
		checkKept(t, http.Header{
			"Content-Type": {mediaType}, "Ce-Specversion": {"1.0"}, "Ce-Id": {id}, "Ce-Source": {"/p"},
			"Ce-Subject": {subject}, "Ce-Type": {kind},
		}, body)
	})
}

// checkKept holds what is kept of a request to what Structured promises: read
// again, it means the same, or what was wrong in the data is wrong as before.
func checkKept(t *testing.T, header http.Header, body []byte) {
	t.Helper()
	kept := Structured(header, body)
	if !bytes.Equal(kept, Structured(header, body)) {
		t.Fatal("it is kept in two ways")
	}
	if kind, _ := mediaType(header); !isBinary(header, kind) {
		if !bytes.Equal(kept, body) {
			t.Fatalf("%s became %s", body, kept)
		}
		return
	}
	first, was := ReadHTTP(header, body, arrived)
	again, is := Read(kept, arrived)
	var before, after *Error
	switch {
	case errors.Is(is, ErrTooLarge):
	case was == nil:
		if is != nil || !sameEvent(meaning(again[0]), meaning(first[0])) {
			t.Errorf("%s: %v, %+v\nwas %+v", kept, is, again, first)
		}
	case errors.As(was, &before) && strings.HasPrefix(before.Member, "data"):
		if !errors.As(is, &after) || after.Problem != before.Problem {
			t.Errorf("%s: %v\nwas %v", kept, is, was)
		}
	}
}

// meaning is an event without what binary mode drops where it can't be decoded.
func meaning(e Event) Event {
	return Event{ID: e.ID, Source: e.Source, Type: e.Type, Expiry: e.Expiry, Data: e.Data}
}
