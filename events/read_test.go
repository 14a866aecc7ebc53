package events

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// arrived is when everything in these tests arrives.
var arrived = time.Date(2026, 3, 1, 12, 0, 1, 0, time.UTC)

// cloudEvent is a good event with its last member replaced or more added.
func cloudEvent(members string) string {
	return `{"specversion":"1.0","id":"1","source":"/probe","type":"havip.health.failed",` +
		`"data":{"cloud":"alibaba","region":"cn-hangzhou","instance":"i-db1"}` + members + `}`
}

var failed = Event{
	ID: "1", Source: "/probe", Type: TypeHealthFailed, Time: arrived, Arrived: arrived,
	Data: HealthFailed{Cloud: "alibaba", Region: "cn-hangzhou", Instance: "i-db1"},
}

func with(change func(*Event)) Event {
	e := failed
	change(&e)
	return e
}

func TestRead(t *testing.T) {
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	early := time.Date(2026, 3, 1, 11, 59, 0, 0, time.UTC)
	for _, c := range []struct {
		name, payload string
		want          Event
	}{
		{"the least", cloudEvent(""), failed},
		{"spaces around", " \r\n\t" + cloudEvent("") + "\n", failed},
		{"null counts as absent", cloudEvent(`,"subject":null,"time":null`), failed},
		{"extensions of every type", cloudEvent(`,"a":"x","b":true,"c":-2147483648,"d":null,"averyveryverylongextensionname":1`), failed},
		{"subject and time", cloudEvent(`,"subject":"havip-1","time":"2026-03-01T11:59:00Z"`),
			with(func(e *Event) { e.Subject, e.Time = "havip-1", early })},
		{"a loose time", cloudEvent(`,"time":"2026-3-1T19:59:00PRC"`), with(func(e *Event) { e.Time = early })},
		{"no time", cloudEvent(`,"time":"yesterday"`), failed},
		{"a long time", cloudEvent(`,"time":"2026-03-01T12:00:00.` + strings.Repeat("0", 44) + `Z"`), failed},
		{"a time as long as one may be", cloudEvent(`,"time":"2026-03-01T11:59:00.` + strings.Repeat("0", 43) + `Z"`), with(func(e *Event) { e.Time = early })},
		{"a long subject and cause", cloudEvent(`,"subject":"` + strings.Repeat("s", 257) + `","causationid":"` + strings.Repeat("c", 257) + `"`), failed},
		{"attributes as long as they may be", cloudEvent(`,"subject":"` + strings.Repeat("s", 256) + `","causationid":"` + strings.Repeat("你", 85) + `"`),
			with(func(e *Event) { e.Subject, e.Causation = strings.Repeat("s", 256), strings.Repeat("你", 85) })},
		{"a number as time", cloudEvent(`,"time":5`), failed},
		{"an expiry", cloudEvent(`,"expirytime":"2026-03-01T11:59:00Z"`), with(func(e *Event) { e.Expiry = early })},
		{"a trace", cloudEvent(`,"traceparent":"` + trace + `","tracestate":"a=1"`),
			with(func(e *Event) { e.TraceParent, e.TraceState = trace, "a=1" })},
		{"a trace with a long state", cloudEvent(`,"traceparent":"` + trace + `","tracestate":"` + strings.Repeat("a", 513) + `"`),
			with(func(e *Event) { e.TraceParent = trace })},
		{"no trace", cloudEvent(`,"traceparent":"00-zz","tracestate":"a=1"`), failed},
		{"a trace of zeros", cloudEvent(`,"traceparent":"` + strings.Map(zero, trace) + `"`), failed},
		{"a trace id of zeros", cloudEvent(`,"traceparent":"00-` + strings.Repeat("0", 32) + trace[35:] + `"`), failed},
		{"a cause that is a number", cloudEvent(`,"causationid":7`), with(func(e *Event) { e.Causation = "7" })},
		{"escapes", strings.Replace(cloudEvent(""), `"/probe"`, `"\u002fprobe"`, 1), failed},
		{"an escaped name", strings.Replace(cloudEvent(""), `"source"`, `"sourc\u0065"`, 1), failed},
		{"letters beyond ASCII", strings.Replace(cloudEvent(""), `/probe`, `/prüfer`, 1), with(func(e *Event) { e.Source = "/prüfer" })},
		{"unknown data", strings.Replace(cloudEvent(""), `"cloud":`, `"more":[{"a":1.5e3}],"cloud":`, 1), failed},
		{"another media type", cloudEvent(`,"datacontenttype":"application/json; charset=utf-8"`), failed},
		{"a stranger's type", strings.Replace(cloudEvent(""), `havip.health.failed`, `com.example`, 1),
			with(func(e *Event) { e.Type, e.Data = "com.example", Ignored{`"com.example" is no type that we act on`} })},
		{"a stranger's bytes", `{"specversion":"1.0","id":"1","source":"/probe","type":"com.example","datacontenttype":"image/png","data_base64":"/w=="}`,
			with(func(e *Event) { e.Type, e.Data = "com.example", Ignored{`"com.example" is no type that we act on`} })},
		{"a number with a point", `{"specversion":"1.0","id":"1","source":"/probe","type":"havip.status.check","data":{"cloud":"baidu","region":"bj","havip":"havip-1","story":"` + story + `","attempt":2.0}}`,
			with(func(e *Event) {
				e.Type, e.Data = TypeStatusCheck, StatusCheck{Cloud: "baidu", Region: "bj", HAVIP: "havip-1", Story: story, Attempt: 2}
			})},
		{"data in base64",
			`{"specversion":"1.0","id":"1","source":"/probe","type":"havip.sweep","data_base64":"eyJjbG91ZCI6ImJhaWR1In0="}`,
			with(func(e *Event) { e.Type, e.Data = TypeSweep, Sweep{Cloud: "baidu"} })},
		{"a sweep of everything", `{"specversion":"1.0","id":"1","source":"/probe","type":"havip.sweep"}`,
			with(func(e *Event) { e.Type, e.Data = TypeSweep, Sweep{} })},
		{"line breaks in a reason", strings.Replace(cloudEvent(""), `"i-db1"`, `"i-db1","reason":"a\n\u001bb"`, 1),
			with(func(e *Event) {
				e.Data = HealthFailed{Cloud: "alibaba", Region: "cn-hangzhou", Instance: "i-db1", Reason: "a  b"}
			})},
		{"a region that nobody knows", strings.Replace(cloudEvent(""), `"cn-hangzhou"`, `""`, 1),
			with(func(e *Event) { e.Data = HealthFailed{Cloud: "alibaba", Instance: "i-db1"} })},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Read([]byte(c.payload), arrived)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || !sameEvent(got[0], c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// sameEvent compares times as moments, whatever their zone.
func sameEvent(a, b Event) bool {
	return reflect.DeepEqual(canonical(a), canonical(b))
}

func canonical(e Event) Event {
	e.Time, e.Expiry = e.Time.UTC(), e.Expiry.UTC()
	switch d := e.Data.(type) {
	case StatusCheck:
		d.NotBefore = d.NotBefore.UTC()
		e.Data = d
	case Outcome:
		d.StartedAt, d.EndedAt = d.StartedAt.UTC(), d.EndedAt.UTC()
		e.Data = d
	}
	return e
}

func zero(r rune) rune {
	if r == '-' {
		return r
	}
	return '0'
}

func TestReadRefuses(t *testing.T) {
	replace := func(old, now string) string {
		text := strings.Replace(cloudEvent(""), old, now, 1)
		if text == cloudEvent("") {
			panic(old + " is not in the event")
		}
		return text
	}
	request := func(kind, data string) string {
		return `{"specversion":"1.0","id":"1","source":"/probe","type":"` + kind + `","data":` + data + `}`
	}
	check := func(members string) string {
		return request(TypeStatusCheck, `{"cloud":"baidu","region":"bj","havip":"havip-1","story":"`+story+`"`+members+`}`)
	}
	long := strings.Repeat("x", 257)
	for _, c := range []struct{ name, payload, want string }{
		// Not JSON, or not ours.
		{"nothing", "", "event: not JSON: it ends where { must stand (byte 0)"},
		{"a word", "hello", `event: not JSON: "h" at byte 0, where { must stand`},
		{"cut off", cloudEvent("")[:60], "type: not JSON: it ends inside a string (byte 60)"},
		{"bytes behind", cloudEvent("") + "x", `event: not JSON: "x" at byte 146, after the end of the event`},
		{"a second event behind", cloudEvent("") + "{}", `event: not JSON: "{" at byte 146, after the end of the event`},
		{"Latin 1", replace("/probe", "\xe9"), "event: not UTF-8; encode it so"},
		{"half a surrogate", replace("/probe", `\ud800`), `source: not JSON: "0" at byte 45, in a string's escape`},
		{"a mark of byte order", "\ufeff" + cloudEvent(""), `event: not JSON: "` + `\ufeff` + `" at byte 0, where { must stand`},
		{"an empty object", "{}", "specversion: missing; send a CloudEvent 1.0"},
		{"deep", replace(`"i-db1"`, strings.Repeat("[", 100)+strings.Repeat("]", 100)), "data.instance: nested deeper than 32 levels; flatten it"},
		{"very deep", strings.Repeat("[", 1<<19), "[0]: not JSON: \"[\" at byte 1, where { must stand"},
		{"large", replace("i-db1", strings.Repeat("x", MaxEvent)), "event: an event may have 131072 bytes; send less data"},
		{"huge", strings.Repeat(" ", MaxBatch+1), "event: a batch may have 1048576 bytes; send less at once"},

		// Attributes.
		{"a member twice", cloudEvent(`,"id":"2"`), "id: appears twice in its object; send it once"},
		{"a member twice, once escaped", cloudEvent(`,"i\u0064":"2"`), "id: appears twice in its object; send it once"},
		{"data's member twice", replace(`"i-db1"`, `"i-db1","instance":"i-db2"`), "data.instance: appears twice in its object; send it once"},
		{"twice, deep in what we don't use", replace(`"i-db1"`, `"i-db1","x":[{"a":{"b":1,"b":2}}]`), "data.x.a.b: appears twice in its object; send it once"},
		{"twice among many", cloudEvent(many(100) + `,"x99":1`), "x99: appears twice in its object; send it once"},
		{"0.3", replace("1.0", "0.3"), `specversion: "0.3" is not read; send 1.0`},
		{"version as a number", replace(`"1.0"`, `1.0`), "specversion: must be a string"},
		{"no id", replace(`"id":"1",`, ``), "id: missing; it must be a string that is not empty"},
		{"a null id", replace(`"id":"1"`, `"id":null`), "id: missing; it must be a string that is not empty"},
		{"a blank id", replace(`"id":"1"`, `"id":" "`), "id: missing; it must be a string that is not empty"},
		{"an id that forges a log", replace(`"id":"1"`, `"id":"1\nlevel=INFO"`), "id: must not hold control characters"},
		{"a C1 control", replace(`"id":"1"`, `"id":"1\u0085"`), "id: must not hold control characters"},
		{"a number as id", replace(`"id":"1"`, `"id":1`), "id: must be a string"},
		{"no source", replace(`"/probe"`, `""`), "source: missing; it must be a string that is not empty"},
		{"no URI", replace(`/probe`, `our probe`), `source: "our probe" is no URI reference; percent-encode it`},
		{"half a percent", replace(`/probe`, `/100%`), `source: "/100%" is no URI reference; percent-encode it`},
		{"no type", replace(`havip.health.failed`, ``), "type: missing; it must be a string that is not empty"},
		{"a misspelt type", replace(`health.failed`, `health.fail`), `type: "havip.health.fail" is none of ours; is it misspelt?`},
		{"a fraction", cloudEvent(`,"x":1.5`), "x: a number must be whole and fit 32 bits; send a string"},
		{"an exponent", cloudEvent(`,"x":1e3`), "x: a number must be whole and fit 32 bits; send a string"},
		{"33 bits", cloudEvent(`,"x":2147483648`), "x: a number must be whole and fit 32 bits; send a string"},
		{"an object", cloudEvent(`,"x":{}`), "x: an attribute holds no objects or lists; put it into data"},
		{"a list as id", replace(`"id":"1"`, `"id":["1"]`), "id: an attribute holds no objects or lists; put it into data"},
		{"a capital", cloudEvent(`,"Id":"2"`), "Id: is no attribute's name; use a-z and 0-9 only"},
		{"a hyphen", cloudEvent(`,"a-b":"2"`), "a-b: is no attribute's name; use a-z and 0-9 only"},
		{"an empty name", cloudEvent(`,"":"2"`), `"": is no attribute's name; use a-z and 0-9 only`},
		{"a name that forges a log", cloudEvent(`,"a\nb":"2"`), `"a\nb": is no attribute's name; use a-z and 0-9 only`},
		{"a name too long", cloudEvent(`,"` + strings.Repeat("a", 65) + `":"2"`), strings.Repeat("a", 65) + ": is too long for an attribute's name; use 64 letters at most"},
		{"too many attributes", cloudEvent(many(300)), "event: has 305 attributes; send 128 at most, and the rest in data"},
		{"a control in an extension", cloudEvent(`,"x":"a\u0000"`), "x: must not hold control characters"},
		{"no media type", cloudEvent(`,"datacontenttype":"json/"`), `datacontenttype: "json/" is no media type; send application/json`},
		{"an expiry that nobody reads", cloudEvent(`,"expirytime":"soon"`), "expirytime: must be a time as RFC 3339 writes it"},

		{"a long id", replace(`"id":"1"`, `"id":"`+long+`"`), "id: is 257 bytes long; 256 are allowed"},
		{"a long id of few letters", replace(`"id":"1"`, `"id":"`+strings.Repeat("你", 86)+`"`), "id: is 258 bytes long; 256 are allowed"},
		{"a long source", replace(`/probe`, long), "source: is 257 bytes long; 256 are allowed"},
		{"a long type", replace(`havip.health.failed`, long), "type: is 257 bytes long; 256 are allowed"},
		{"a long expiry", cloudEvent(`,"expirytime":"2026-03-01T12:00:00.` + strings.Repeat("0", 44) + `Z"`), "expirytime: is 65 bytes long; 64 are allowed"},

		// Data.
		{"data and base64", cloudEvent(`,"data_base64":"e30="`), "data_base64: stands beside data; send one of them"},
		{"null data and base64", `{"specversion":"1.0","id":"1","source":"/p","type":"havip.sweep","data":null,"data_base64":"e30="}`, "data_base64: stands beside data; send one of them"},
		{"no base64", `{"specversion":"1.0","id":"1","source":"/p","type":"havip.sweep","data_base64":"e30"}`, "data_base64: must be a string in base64 (RFC 4648)"},
		{"base64 with bits to spare", `{"specversion":"1.0","id":"1","source":"/p","type":"havip.sweep","data_base64":"e31="}`, "data_base64: must be a string in base64 (RFC 4648)"},
		{"base64 of no JSON", `{"specversion":"1.0","id":"1","source":"/p","type":"havip.sweep","data_base64":"eyI="}`, "data_base64: not JSON: it ends inside a string (byte 2)"},
		{"no data", `{"specversion":"1.0","id":"1","source":"/p","type":"havip.recover"}`, "data: must be a JSON object"},
		{"data as a string", request(TypeSweep, `"{}"`), "data: must be a JSON object"},
		{"data as a list", request(TypeSweep, `[]`), "data: must be a JSON object"},
		{"no instance", replace(`,"instance":"i-db1"`, ``), "data.instance: missing; it must be a string that is not empty"},
		{"a number as instance", replace(`"i-db1"`, `1`), "data.instance: must be a string"},
		{"an instance that forges a log", replace(`"i-db1"`, `"i\r\n"`), "data.instance: must not hold control characters"},
		{"no region", replace(`"region":"cn-hangzhou",`, ``), "data.region: missing; name the region of the instance"},
		{"no cloud", replace(`"cloud":"alibaba",`, ``), "data.cloud: missing; it must be a string that is not empty"},
		{"a third cloud", replace(`"alibaba"`, `"aws"`), `data.cloud: "aws" is no cloud of ours; send alibaba or baidu`},
		{"a cloud in capitals", replace(`"alibaba"`, `"Alibaba"`), `data.cloud: "Alibaba" is no cloud of ours; send alibaba or baidu`},
		{"an instance beyond ASCII", replace(`"i-db1"`, `"i-dü1"`), "data.instance: must hold printable ASCII only"},
		{"a long instance", replace(`"i-db1"`, `"`+long+`"`), "data.instance: is 257 bytes long; 256 are allowed"},
		{"a reason that is none", replace(`"i-db1"`, `"i-db1","reason":{}`), "data.reason: must be a string"},
		{"recover what", request(TypeRecover, `{"cloud":"baidu","region":"bj"}`), "data.havip: missing; it must be a string that is not empty"},
		{"force as a word", request(TypeRecover, `{"cloud":"baidu","region":"bj","havip":"h","force":"true"}`), "data.force: must be true or false"},
		{"check without story", request(TypeStatusCheck, `{"cloud":"baidu","region":"bj","havip":"havip-1","attempt":1}`), "data.story: missing; it must be a string that is not empty"},
		{"check without attempt", check(""), "data.attempt: must be a whole number from 1 up"},
		{"half an attempt", check(`,"attempt":1.5`), "data.attempt: must be a whole number within ±9007199254740991"},
		{"a time that is none", check(`,"attempt":1,"notBefore":"x"`), "data.notBefore: must be a time as RFC 3339 writes it"},
		{"a long time", check(`,"attempt":1,"notBefore":"2026-03-01T12:00:00.` + strings.Repeat("0", 44) + `Z"`), "data.notBefore: is 65 bytes long; 64 are allowed"},
		{"carries much", check(`,"attempt":1,"carried":"` + strings.Repeat("x", maxCarried-1) + `"`), "data.carried: is 65537 bytes long; 65536 are allowed"},
		{"check of another's story", strings.Replace(check(`,"attempt":1`), story, story[1:], 1), `data.story: "` + story[1:] + `" has the wrong form; send the id as we made it, 24 hex digits`},
		{"check in another's region", strings.Replace(check(`,"attempt":1`), `"bj"`, `"bj.x"`, 1), `data.region: "bj.x" has the wrong form; write it like cn-hangzhou or bj`},
		{"check of another's HAVIP", strings.Replace(check(`,"attempt":1`), `havip-1`, `havip-*`, 1), `data.havip: "havip-*" has the wrong form; write it like havip-bp1orders`},
		{"sweep another cloud", request(TypeSweep, `{"cloud":"aws"}`), `data.cloud: "aws" is no cloud of ours; send alibaba or baidu`},
		{"an outcome under another's type", request(TypeAttached, `{"story":"s","outcome":"refused"}`), "data.outcome: is not the one that the type names"},
		{"holders that are none", request(TypeAttached, `{"story":"s","outcome":"attached","holders":[1]}`), "data.holders: must be a list of strings"},
		{"a long holder", request(TypeAttached, `{"story":"s","outcome":"attached","holders":["a","`+long+`"]}`), "data.holders[1]: is 257 bytes long; 256 are allowed"},
		{"many holders", request(TypeAttached, `{"story":"s","outcome":"attached","holders":["a"`+strings.Repeat(`,"a"`, maxHolders)+`]}`), "data.holders: has 65 entries; 64 are allowed"},
		{"a holder that forges a log", request(TypeAttached, `{"story":"s","outcome":"attached","holders":["a\nb"]}`), "data.holders: must not hold control characters"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Read([]byte(c.payload), arrived)
			if fmt.Sprint(err) != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if !errors.Is(err, ErrInvalid) || len(got) > 0 {
				t.Errorf("events %v with an error that is ErrInvalid: %t", got, errors.Is(err, ErrInvalid))
			}
			if large := strings.Contains(c.want, "bytes;"); errors.Is(err, ErrTooLarge) != large {
				t.Errorf("too large: %t, want %t", !large, large)
			}
		})
	}
}

// many are n extensions x0 to xn.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"x%d":1`, i)
	}
	return b.String()
}
