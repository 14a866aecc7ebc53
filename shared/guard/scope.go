package guard

import (
	"errors"
	"fmt"
)

// Scope is what a sender may say and see. An operator's includes a reader's and a
// reporter's, of which neither includes the other.
type Scope int

// The scopes.
const (
	Stranger  Scope = iota // nothing
	Reader                 // nothing, and sees all
	Reporter               // facts, and the clouds' own shapes; sees nothing
	Operator               // these, recover, sweep, freeze, lift, redrive and plan, and all that is read
	Ourselves              // havip.status.check, which nobody outside may say
)

// String names the scope.
func (s Scope) String() string {
	switch s {
	case Reader:
		return "reader"
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
	for _, one := range []Scope{Reader, Reporter, Operator, Ourselves} {
		if string(name) == one.String() {
			*s = one
		}
	}
	return nil
}

// ErrForbidden means that a sender is known, and may not say this.
var ErrForbidden = errors.New("not allowed")

// May tells whether the scope includes what something needs.
func (s Scope) May(needs Scope) bool { return s == needs || s >= Operator && s > needs }

// tokensOf are the variables whose tokens have at least a scope.
var tokensOf = map[Scope]string{
	Reader: "HAVIP_READER_TOKEN or HAVIP_OPERATOR_TOKEN", Reporter: "HAVIP_INGRESS_TOKEN or HAVIP_OPERATOR_TOKEN", Operator: "HAVIP_OPERATOR_TOKEN",
}

// Check is an ErrForbidden where what needs more than the scope, in one line
// that says what to do.
func (s Scope) Check(what string, needs Scope) error {
	switch {
	case s.May(needs):
		return nil
	case needs == Ourselves:
		return forbidden("%s is said by nobody but us; send havip.sweep to have a HAVIP looked at", what)
	}
	return forbidden("%s needs the scope %s; show a token of %s as Authorization: Bearer", what, needs, tokensOf[needs])
}

func forbidden(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrForbidden}, args...)...)
}
