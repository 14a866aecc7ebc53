package events

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// What we take at once. FC calls a function with at most 128 KB.
const (
	MaxEvent  = 128 << 10 // bytes of one event
	MaxBatch  = 1 << 20   // bytes of a batch
	MaxEvents = 1000      // events of a batch
)

// Read reads what a platform hands to a function: a CloudEvent as structured
// JSON, an array of them, or one of the shapes that [readShape] tells apart. It
// never panics. Of a batch it returns the events that it could read, and an
// error that joins one [*Error] for each other; JSON that is broken anywhere
// gives no events at all.
func Read(payload []byte, arrived time.Time) ([]Event, error) {
	if len(payload) > MaxBatch {
		return nil, tooLarge("a batch may have %d bytes; send less at once", MaxBatch)
	}
	if !utf8.Valid(payload) {
		return nil, invalid("", "not UTF-8; encode it so")
	}
	s := scanner{buf: payload}
	if s.space(); s.peek() == '[' {
		return readBatch(&s, arrived)
	}
	f, err := scanEvent(&s, make([]member, 0, 16))
	if err != nil {
		return nil, err
	}
	if err := s.end(); err != nil {
		return nil, err
	}
	return readShape(f, arrived)
}

func readBatch(s *scanner, arrived time.Time) ([]Event, error) {
	var events []Event
	var problems []error
	var members []member
	err := s.array(func(i int) error {
		if i >= MaxEvents {
			return tooMany()
		}
		f, err := scanEvent(s, members[:0])
		if errors.Is(err, ErrTooLarge) {
			problems = append(problems, within(index(i), err))
			return nil
		}
		if err != nil {
			return within(index(i), err)
		}
		members = f.members
		read, err := readShape(f, arrived)
		if err != nil {
			problems = append(problems, within(index(i), err))
		}
		if events = append(events, read...); len(events) > MaxEvents { // an alarm makes several
			return tooMany()
		}
		return nil
	})
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, err
	}
	return events, errors.Join(problems...)
}

// scanEvent scans the object at s into members, whose memory it reuses.
func scanEvent(s *scanner, members []member) (*fields, error) {
	f := &fields{members: members}
	start := s.pos
	if err := s.object(&f.members); err != nil {
		return nil, err
	}
	if s.pos-start > MaxEvent {
		return nil, tooLarge("an event may have %d bytes; send less data", MaxEvent)
	}
	return f, nil
}

func index(i int) string { return fmt.Sprintf("[%d]", i) }

func tooMany() error { return tooLarge("a batch may have %d events; send fewer at once", MaxEvents) }

func tooLarge(format string, args ...any) error {
	return &Error{Problem: fmt.Sprintf(format, args...), Kind: ErrTooLarge}
}
