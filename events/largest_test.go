package events

import (
	"strings"
	"testing"
)

// candidates are what makes a member large: letters that are escaped, numbers of
// many digits, long lists, and the longest of each form.
func candidates() []string {
	all := []string{
		`"alibaba"`, letters("b", "1", 31), letters("havip-", "A", 64), letters("", "0f", 12),
		`-9007199254740991`, `2147483647`, `false`, `"2026-03-01T12:00:00.123456789+14:00"`,
	}
	for _, letter := range []string{`\"`, "<"} {
		name := letters("", letter, 256)
		all = append(all, name, letters("", letter, 1000), letters("", letter, (64<<10-2)/len(letter)),
			"["+name+strings.Repeat(","+name, 63)+"]")
	}
	return all
}

// largest is an event of the sample's type whose every member is as large as its
// reader lets it be, once it is written again.
func largest(t *testing.T, sample Event) Event {
	t.Helper()
	members := map[string]string{}
	for _, name := range everyMember(t, sample.Type) {
		most := size(t, sample)
		for _, value := range candidates() {
			read, err := Read(changed(t, sample, map[string]string{name: value}), arrived)
			if err != nil {
				continue
			}
			if n := size(t, read[0]); n > most {
				members[name], most = value, n
			}
		}
	}
	read, err := Read(changed(t, sample, members), arrived)
	if err != nil {
		t.Fatal(err)
	}
	sample.Data = read[0].Data
	quotes := strings.Repeat(`"`, 256)
	sample.ID, sample.Source, sample.Causation = quotes, strings.Repeat("s", 256), quotes
	sample.Subject, sample.TraceState = quotes, quotes+quotes
	sample.TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	sample.Expiry = sample.Time
	return sample
}

// size is how long the data is, as it is sent.
func size(t *testing.T, e Event) int {
	t.Helper()
	written, err := Encode(e.Data)
	if err != nil {
		t.Fatal(err)
	}
	return len(written)
}

// Whatever the readers accept of our own types fits Function Compute once it is
// sent on, and is the same event again.
func TestTheLargestEventFits(t *testing.T) {
	for _, sample := range samples {
		e := largest(t, sample)
		e.Arrived = arrived
		payload, err := Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes", sample.Type, len(payload))
		read, err := Read(payload, arrived)
		if err != nil || !sameEvent(read[0], e) {
			t.Errorf("%s became %+v, %v", sample.Type, read, err)
		}
		checkRead(t, read, nil)
	}
}
