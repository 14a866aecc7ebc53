package events

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// hostile is a case of testdata/hostile/index.json. README.md there says how to
// read it.
type hostile struct {
	Name    string
	Mode    string // structured, binary, batch, raw; wire for what only a server can judge
	Headers map[string]*string
	Body    string
	Base64  []byte
	Parts   []part
	Status  int
	Member  string
}

// part is some text, or one that is repeated.
type part struct {
	Repeat string
	Times  int
}

func (p *part) UnmarshalJSON(text []byte) error {
	type plain part
	if text[0] != '"' {
		return json.Unmarshal(text, (*plain)(p))
	}
	p.Times = 1
	return json.Unmarshal(text, &p.Repeat)
}

func (c hostile) body() []byte {
	var b strings.Builder
	b.WriteString(c.Body)
	b.Write(c.Base64)
	for _, p := range c.Parts {
		b.WriteString(strings.Repeat(p.Repeat, p.Times))
	}
	return []byte(b.String())
}

func (c hostile) header() http.Header {
	h := http.Header{}
	switch c.Mode {
	case "structured":
		h.Set("Content-Type", "application/cloudevents+json")
	case "batch":
		h.Set("Content-Type", "application/cloudevents-batch+json")
	case "binary":
		for name, value := range map[string]string{
			"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "h-1", "ce-source": "/hostile", "ce-type": TypeHealthFailed,
		} {
			h.Set(name, value)
		}
	}
	for name, value := range c.Headers {
		h.Del(name)
		if value != nil {
			h.Set(name, *value)
		}
	}
	return h
}

func hostileCases(t *testing.T) []hostile {
	t.Helper()
	text, err := os.ReadFile("testdata/hostile/index.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []hostile
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// status is what a door answers for what ReadHTTP says.
func status(events []Event, err error) (int, string) {
	var e *Error
	member := ""
	if errors.As(err, &e) {
		member = e.Member
	}
	switch {
	case errors.Is(err, ErrTooLarge):
		return http.StatusRequestEntityTooLarge, member
	case errors.Is(err, ErrMediaType):
		return http.StatusUnsupportedMediaType, member
	case err != nil:
		return http.StatusBadRequest, member
	case len(events) > 0 && events[0].IsAlarm():
		return http.StatusOK, ""
	case slices.ContainsFunc(events, func(e Event) bool { return e.Type == TypeStatusCheck }):
		return http.StatusForbidden, "" // it can be read, and no door takes it
	}
	return http.StatusAccepted, ""
}

func TestHostile(t *testing.T) {
	cases := hostileCases(t)
	names := map[string]bool{}
	for _, c := range cases {
		if names[c.Name] {
			t.Errorf("two cases are called %s", c.Name)
		}
		names[c.Name] = true
		if c.Mode == "wire" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			began := time.Now()
			events, err := ReadHTTP(c.header(), c.body(), arrived)
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("it took %s", took)
			}
			if got, member := status(events, err); got != c.Status || member != c.Member {
				t.Errorf("got  %d %s: %v\nwant %d %s", got, member, err, c.Status, c.Member)
			}
			checkRead(t, events, err)
		})
	}
	if len(cases) < 150 {
		t.Errorf("%d cases, want 150 at least", len(cases))
	}
}
