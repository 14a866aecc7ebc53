package events

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// plain is what encoding/json would read an event into, without any check.
type plain struct {
	SpecVersion, ID, Source, Type, Subject string
	DataContentType                        string
	Time                                   time.Time
	Data                                   Fact
}

var typical = strings.Replace(cloudEvent(`,"datacontenttype":"application/json","subject":"havip-bp1orders",`+
	`"time":"2026-03-01T11:59:00Z","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",`+
	`"aliyuneventbusname":"havip","aliyunregionid":"cn-hangzhou","aliyunpublishtime":"2026-03-01T11:59:00.25Z"`),
	`"i-db1"`, `"i-db1","havip":"havip-bp1orders","reason":"no answer on 5432 for 30 s, asked from i-db2 and i-db3; keepalived on i-db1 says FAULT"`, 1)

func BenchmarkRead(b *testing.B) {
	payload := []byte(typical)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(payload, arrived); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlainJSON is the yardstick: Read should take at most twice as long.
func BenchmarkPlainJSON(b *testing.B) {
	payload := []byte(typical)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		var e plain
		if err := json.Unmarshal(payload, &e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSDK is what one would use instead: it checks less.
func BenchmarkSDK(b *testing.B) {
	payload := []byte(typical)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if err := sdk(payload); err != nil {
			b.Fatal(err)
		}
	}
}

func sdk(payload []byte) error {
	var e cloudevents.Event
	if err := json.Unmarshal(payload, &e); err != nil {
		return err
	}
	var d Fact
	return errors.Join(e.Validate(), e.DataAs(&d))
}

// BenchmarkRatio runs the three by turns, so that whatever else the machine does
// meets them alike. x-json should be 2 at most, x-sdk below 1.
func BenchmarkRatio(b *testing.B) {
	payload := []byte(typical)
	var spent [3]time.Duration
	ways := [3]func() error{
		func() error { _, err := Read(payload, arrived); return err },
		func() error { var e plain; return json.Unmarshal(payload, &e) },
		func() error { return sdk(payload) },
	}
	for b.Loop() {
		for i, way := range ways {
			began := time.Now()
			for range 100 {
				if err := way(); err != nil {
					b.Fatal(err)
				}
			}
			spent[i] += time.Since(began)
		}
	}
	b.ReportMetric(0, "ns/op") // of all three together it says nothing
	b.ReportMetric(float64(len(payload)), "bytes")
	b.ReportMetric(float64(spent[0])/float64(spent[1]), "x-json")
	b.ReportMetric(float64(spent[0])/float64(spent[2]), "x-sdk")
}

func BenchmarkReadBatch(b *testing.B) {
	payload := []byte("[" + strings.Repeat(typical+",", 999) + typical + "]")
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(payload, arrived); err != nil {
			b.Fatal(err)
		}
	}
}
