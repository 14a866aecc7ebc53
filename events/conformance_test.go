package events

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// The cases of the CloudEvents project's own conformance suite, written anew:
// its scenarios of the HTTP binding and its sample events of version 1.0. Their
// types are not ours, so that nothing follows from them; they are read all the
// same, with the attributes that they have.
//
// https://github.com/cloudevents/conformance
type conformance struct {
	id, source, kind, time string
	contentType            string // of the data
	data                   string
	extensions             map[string]string
}

var conformant = []conformance{
	{"1234-1234-1234", "/mycontext/subcontext", "com.example.someevent", "2018-04-05T03:56:24Z", "application/json", "{\n    \"message\": \"Hello World!\"\n}", nil},
	{"1234-1234-1234", "/mycontext/subcontext", "com.example.someevent", "2018-04-05T03:56:24Z", "application/json; charset=utf-8", `{"message": "Hello World!"}`, nil},
	{"4321-4321-4321", "/mycontext/subcontext", "com.example.someevent", "2018-04-05T03:56:24Z", "", `{"world":"hello"}`,
		map[string]string{"comexampleextension1": "value", "comexampleextension2": `{"othervalue": 5}`}},
	{"conformance-0001", minimum, "io.cloudevents.minimum", "", "text/plain; charset=us-ascii", "Hello, World!", nil},
	{"conformance-0002", minimum, "io.cloudevents.minimum", "", "text/plain; charset=utf-8", "Hello, 🌎!", nil},
	{"conformance-0003", minimum, "io.cloudevents.minimum", "", "application/json; charset=utf-8", `"Hello, 🌎!"`, nil},
	{"conformance-0004", minimum, "io.cloudevents.minimum", "", "application/json; charset=utf-8", `{"msg":"Hello, 🌎!"}`, nil},
	{"conformance-0005", minimum, "io.cloudevents.minimum", "", "application/json; charset=utf-8", `["Hello","🌎!"]`, nil},
	{"conformance-0006", minimum, "io.cloudevents.minimum", "", "application/xml; charset=utf-8", "<msg>Hello, 🌎!</msg>", nil},
}

const minimum = "//github.com/cloudevents/cloudeventsconformance/yaml/v1.yaml"

// attributes are those of the event, with its extensions.
func (c conformance) attributes() map[string]string {
	all := map[string]string{"specversion": "1.0", "id": c.id, "source": c.source, "type": c.kind}
	if c.time != "" {
		all["time"] = c.time
	}
	for name, value := range c.extensions {
		all[name] = value
	}
	return all
}

func (c conformance) binary() string {
	head := "User-Agent: foo"
	if c.contentType != "" {
		head += "\r\nContent-Type: " + c.contentType
	}
	for name, value := range c.attributes() {
		head += "\r\nce-" + name + ": " + strings.ReplaceAll(value, `"`, "%22")
	}
	return head
}

func (c conformance) structured(t *testing.T) string {
	t.Helper()
	event := map[string]any{}
	for name, value := range c.attributes() {
		event[name] = value
	}
	event["data"] = c.data
	if c.contentType != "" {
		event["datacontenttype"] = c.contentType
	}
	if isJSON(c.contentType) {
		event["data"] = json.RawMessage(c.data)
	}
	text, err := json.MarshalIndent(event, "", "    ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestConformance(t *testing.T) {
	for i, c := range conformant {
		for mode, request := range map[string][2]string{
			"binary":                  {c.binary(), c.data},
			"structured":              {"Content-Type: application/cloudevents+json", c.structured(t)},
			"structured with charset": {"Content-Type: application/cloudevents+json; charset=utf-8", c.structured(t)},
			"batch":                   {"Content-Type: application/cloudevents-batch+json", "[" + c.structured(t) + "]"},
		} {
			t.Run(fmt.Sprintf("%d %s", i+1, mode), func(t *testing.T) {
				got, err := post(t, request[0], request[1])
				if err != nil || len(got) != 1 {
					t.Fatalf("got %v, %v", got, err)
				}
				want := Event{
					ID: c.id, Source: c.source, Type: c.kind, Time: arrived, Arrived: arrived,
					Data: Ignored{Reason: fmt.Sprintf("%q is no type that we act on", c.kind)},
				}
				if c.time != "" {
					want.Time = time.Date(2018, 4, 5, 3, 56, 24, 0, time.UTC)
				}
				if !sameEvent(got[0], want) {
					t.Errorf("got  %+v\nwant %+v", got[0], want)
				}
			})
		}
	}
}
