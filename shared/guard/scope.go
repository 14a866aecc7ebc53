package guard

import (
	"errors"
	"fmt"
)

// Scope is what a sender may say. A larger one includes the smaller.
type Scope int

// The scopes.
const (
	Stranger  Scope = iota // nothing
	Reporter               // facts, and the clouds' own shapes
	Operator               // these, recover, sweep, freeze, lift, redrive and plan, and all that is read
	Ourselves              // havip.status.check, which nobody outside may say
)

// String names the scope.
func (s Scope) String() string {
	switch s {
	case Reporter:
		return "reporter"
	case Operator:
		return "operator"
	case Ourselves:
		return "ourselves"
	case Stranger:
	}
	return "stranger"
}

// MarshalText names the scope.
func (s Scope) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is for a name; an unknown one is a stranger's.
func (s *Scope) UnmarshalText(name []byte) error {
	*s = Stranger
	for _, one := range []Scope{Reporter, Operator, Ourselves} {
		if string(name) == one.String() {
			*s = one
		}
	}
	return nil
}

// ErrForbidden means that a sender is known, and may not say this.
var ErrForbidden = errors.New("not allowed")

// Check is an ErrForbidden where what needs more than the scope, in one line
// that says what to do.
func (s Scope) Check(what string, needs Scope) error {
	switch {
	case s >= needs:
		return nil
	case needs == Ourselves:
		return forbidden("%s is said by nobody but us; send havip.sweep to have a HAVIP looked at", what)
	}
	return forbidden("%s needs the scope %s; show a token of HAVIP_OPERATOR_TOKEN as Authorization: Bearer", what, needs)
}

func forbidden(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrForbidden}, args...)...)
}
