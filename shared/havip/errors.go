package havip

import (
	"errors"
	"strings"
)

// The kinds of failure, named by what we do next. Match them with errors.Is.
var (
	// ErrBusy means look again: throttled, timed out, in the middle of a move.
	ErrBusy = errors.New("busy")

	// ErrRefused means that a person has to act: an unknown id, no permission,
	// no quota, a broken rule.
	ErrRefused = errors.New("refused")

	// ErrConflict means that the ledger's record changed since it was read.
	ErrConflict = errors.New("the record changed since it was read")
)

// Error is a cloud's answer in our words.
type Error struct {
	Kind      error  // ErrBusy or ErrRefused
	Op        string // the cloud's name of the operation, AssociateHaVip
	Code      string // the cloud's code, or ours where no answer came
	Status    int    // of HTTP; 0 where no answer came
	Message   string // the cloud's own words, without secrets
	RequestID string
	Rule      string // the rule that was broken, in a few words
	Advice    string // what a person can do
	Lost      bool   // no definite answer: the call may have had its effect
	Instance  bool   // it concerns the instance of the call, not the HAVIP or the account
}

// Error is one line: operation, rule, code, message, request id, advice.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op + ": ")
	switch {
	case e.Rule != "":
		b.WriteString(e.Rule)
	case e.Message != "":
		b.WriteString(oneLine(e.Message))
	default:
		b.WriteString(e.Kind.Error())
	}
	b.WriteString(" (" + e.Code)
	if e.RequestID != "" {
		b.WriteString(", request " + e.RequestID)
	}
	b.WriteString(")")
	if e.Advice != "" {
		b.WriteString("; " + e.Advice)
	}
	return b.String()
}

// Unwrap gives the kind, so that errors.Is(err, ErrBusy) works.
func (e *Error) Unwrap() error { return e.Kind }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
