package events

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const data = `{"cloud":"alibaba","region":"cn-hangzhou","instance":"i-db1"}`

// binary is a good request in binary mode, with more header lines.
func binary(lines ...string) string {
	return strings.Join(append([]string{
		"Content-Type: application/json", "ce-specversion: 1.0", "ce-id: 1",
		"ce-source: /probe", "ce-type: havip.health.failed",
	}, lines...), "\r\n")
}

func TestReadHTTP(t *testing.T) {
	for _, c := range []struct {
		name, header, body string
		want               Event
	}{
		{"binary", binary(), data, failed},
		{"binary without a media type", strings.Replace(binary(), "Content-Type: application/json", "A: b", 1), data, failed},
		{"percent", binary("ce-subject: a%20b"), data, with(func(e *Event) { e.Subject = "a b" })},
		{"percent in UTF-8", binary("ce-subject: %E4%BD%A0"), data, with(func(e *Event) { e.Subject = "你" })},
		{"percent twice is decoded once", binary("ce-subject: %2541"), data, with(func(e *Event) { e.Subject = "%41" })},
		{"quoted", binary(`ce-subject: "a \"b\" \\ %20c"`), data, with(func(e *Event) { e.Subject = `a "b" \  c` })},
		{"raw UTF-8", binary("ce-subject: grün"), data, with(func(e *Event) { e.Subject = "grün" })},
		{"a bad subject costs the subject", binary("ce-subject: %C0%A0"), data, failed},
		{"half a percent", binary("ce-subject: 100%"), data, failed},
		{"half a quote", binary(`ce-subject: "a`), data, failed},
		{"words behind a quote", binary(`ce-subject: "a" b`), data, failed},
		{"a subject twice", binary("ce-subject: a", "ce-subject: b"), data, failed},
		{"a stray header", binary("ce-foo-bar: x", "ce-: y", "ce-x: %00"), data, failed},
		{"extensions", binary("ce-causationid: c", "ce-time: 2026-03-01T12:00:00Z", "ce-expirytime: 2026-03-01T12:00:01Z"), data,
			with(func(e *Event) { e.Causation, e.Time, e.Expiry = "c", arrived.Add(-1e9), arrived })},
		{"Alibaba's, in binary", strings.NewReplacer("/probe", "acs.ecs", "havip.health.failed", "ecs:Instance:StateChange").Replace(binary("ce-aliyunregionid: cn-x")),
			`{"resourceId":"i-1","state":"Stopped"}`, with(func(e *Event) {
				e.Source, e.Type = "acs.ecs", "ecs:Instance:StateChange"
				e.Data = HealthFailed{Cloud: "alibaba", Region: "cn-x", Instance: "i-1", Reason: "the instance is Stopped"}
			})},
		{"structured", "Content-Type: application/cloudevents+json; charset=UTF-8", cloudEvent(""), failed},
		{"structured wins over headers", "Content-Type: application/cloudevents+json\r\nce-specversion: 1.0\r\nce-id: 2", cloudEvent(""), failed},
		{"plain JSON", "Content-Type: application/json", cloudEvent(""), failed},
		{"no media type", "A: b", cloudEvent(""), failed},
		{"a batch of one", "Content-Type: application/cloudevents-batch+json", strings.Repeat("\n", 99) + "[" + cloudEvent("") + "]", failed},
		{"a list as plain JSON", "Content-Type: application/json", "[" + cloudEvent("") + "]", failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := post(t, c.header, c.body)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || !sameEvent(got[0], c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestReadHTTPRefuses(t *testing.T) {
	without := func(line string) string { return strings.Replace(binary(), line, "A: b", 1) }
	for _, c := range []struct {
		name, header, body, want string
		kind                     error
	}{
		{"an old version", strings.Replace(binary(), "1.0", "0.3", 1), data, `specversion: "0.3" is not read; send 1.0`, ErrInvalid},
		{"no id", without("ce-id: 1"), data, "id: missing; it must be a string that is not empty", ErrInvalid},
		{"no source", without("ce-source: /probe"), data, "source: missing; it must be a string that is not empty", ErrInvalid},
		{"a control in the id", without("ce-id: 1") + "\r\nce-id: 1%0A2", data,
			"id: the header can't be read; send it once, percent-encoded UTF-8 without control characters", ErrInvalid},
		{"an id twice", binary("ce-id: 2"), data,
			"id: the header can't be read; send it once, percent-encoded UTF-8 without control characters", ErrInvalid},
		{"an expiry that hides", binary("ce-expirytime: %FF"), data,
			"expirytime: the header can't be read; send it once, percent-encoded UTF-8 without control characters", ErrInvalid},
		{"no JSON", binary(), "hello", `data: not JSON: "h" at byte 0, where a value must stand`, ErrInvalid},
		{"no UTF-8", binary(), "\"\xff\"", "data: not UTF-8; encode it so", ErrInvalid},
		{"no data", binary(), "", "data: must be a JSON object", ErrInvalid},
		{"large data", binary(), `{"a":"` + strings.Repeat("x", MaxEvent) + `"}`, "event: an event may have 131072 bytes; send less data", ErrTooLarge},
		{"a large form", "Content-Type: application/x-www-form-urlencoded", strings.Repeat("x", MaxEvent+1), "event: an alarm may have 131072 bytes; shorten it", ErrTooLarge},
		{"XML", "Content-Type: application/cloudevents+xml", "<a/>",
			`content-type: "application/cloudevents+xml" is not read; send application/cloudevents+json in UTF-8`, ErrMediaType},
		{"text", "Content-Type: text/html", "<a/>",
			`content-type: "text/html" is not read; send application/cloudevents+json in UTF-8`, ErrMediaType},
		{"no media type", "Content-Type: ;;", "{}",
			`content-type: ";;" is not read; send application/cloudevents+json in UTF-8`, ErrMediaType},
		{"Latin 1", "Content-Type: application/json; charset=latin1", "{}",
			`content-type: "application/json; charset=latin1" is not read; send application/cloudevents+json in UTF-8`, ErrMediaType},
		{"a list as one", "Content-Type: application/cloudevents+json", "[]",
			"event: a list under the type of one event; send application/cloudevents-batch+json", ErrInvalid},
		{"one as a batch", "Content-Type: application/cloudevents-batch+json", cloudEvent(""),
			"event: no list under the type of a batch; send application/cloudevents+json", ErrInvalid},
		{"a form that is no alarm", "Content-Type: application/x-www-form-urlencoded", "a=b",
			"alertState: missing; a form must be an alarm of CloudMonitor", ErrInvalid},
		{"no form", "Content-Type: application/x-www-form-urlencoded", "alertState=%zz",
			"event: no form; send key=value pairs in UTF-8, percent-encoded", ErrInvalid},
		{"a form that is no UTF-8 once decoded", "Content-Type: application/x-www-form-urlencoded", "alertState=OK&dimensions={instanceId=%A7}",
			"event: no form; send key=value pairs in UTF-8, percent-encoded", ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := post(t, c.header, c.body)
			if fmt.Sprint(err) != c.want || len(got) > 0 {
				t.Errorf("got  %v, %v\nwant %s", got, err, c.want)
			}
			if !errors.Is(err, c.kind) || !errors.Is(err, ErrInvalid) {
				t.Errorf("%v is not %v", err, c.kind)
			}
		})
	}
}

// post sends the bytes of a request through a socket and reads it at the far end.
func post(t *testing.T, header, body string) (events []Event, err error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payload, failure := io.ReadAll(r.Body)
		if failure != nil {
			t.Error(failure)
		}
		events, err = ReadHTTP(r.Header, payload, arrived)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	conn, failure := net.Dial("tcp", server.Listener.Addr().String())
	if failure != nil {
		t.Fatal(failure)
	}
	defer conn.Close()
	_, failure = fmt.Fprintf(conn, "POST /events HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n%s\r\n\r\n%s", len(body), header, body)
	if failure != nil {
		t.Fatal(failure)
	}
	response, failure := http.ReadResponse(bufio.NewReader(conn), nil)
	if failure != nil {
		t.Fatal(failure)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		t.Fatalf("the request did not reach us: %s", response.Status)
	}
	return events, err
}
