package events

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// What is wrong with an event. Match with errors.Is; every [*Error] is an
// ErrInvalid, and may be one of the others too.
var (
	// ErrInvalid means that no redelivery can make the event readable.
	ErrInvalid = errors.New("invalid event")

	// ErrTooLarge means more bytes or events than we take at once.
	ErrTooLarge = errors.New("event too large")

	// ErrMediaType means a Content-Type that we don't read.
	ErrMediaType = errors.New("unsupported media type")
)

// Error says which member of an event is wrong, and what to do.
type Error struct {
	Member  string // data.instance; [3].id in a batch; empty for the whole
	Problem string // missing; name the instance
	Kind    error  // ErrTooLarge or ErrMediaType; nil for any other problem
}

// Error is one line: the member and its problem.
func (e *Error) Error() string {
	if e.Member == "" {
		return "event: " + e.Problem
	}
	return e.Member + ": " + e.Problem
}

// Unwrap gives ErrInvalid and the kind.
func (e *Error) Unwrap() []error {
	if e.Kind == nil {
		return []error{ErrInvalid}
	}
	return []error{ErrInvalid, e.Kind}
}

func invalid(member, format string, args ...any) error {
	return &Error{Member: member, Problem: fmt.Sprintf(format, args...)}
}

// within puts the name of what encloses it before the member of an error.
func within(name string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	inner := *e
	inner.Member = join(name, e.Member)
	return &inner
}

func join(outer, inner string) string {
	if outer == "" || inner == "" || strings.HasPrefix(inner, "[") {
		return outer + inner
	}
	return outer + "." + inner
}

// shown quotes what a stranger wrote, so that it stays one short line.
func shown(s string) string {
	const most = 80
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.QuoteToGraphic(s)
}
