package events

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// plain is what encoding/json would read an event into, without any check.
type plain struct {
	SpecVersion, ID, Source, Type, Subject string
	DataContentType                        string
	Time                                   time.Time
	Data                                   Fact
}

var typical = strings.Replace(cloudEvent(`,"datacontenttype":"application/json","subject":"havip-bp1orders",`+
	`"time":"2026-03-01T11:59:00Z","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"`),
	`"i-db1"`, `"i-db1","havip":"havip-bp1orders","reason":"no answer on 5432"`, 1)

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
