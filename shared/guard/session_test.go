package guard_test

import (
	"strings"
	"testing"
	"time"

	"havip-functions/shared/guard"
)

func TestSessions(t *testing.T) {
	const token = "operators-sesame"
	const op, reader = guard.Operator, guard.Reader
	given := guard.Guard{Operators: []string{token}, Readers: []string{"readers-sesame-1"}, Tokens: []string{"reporters-sesame"}}
	s := guard.NewSessions(given)
	fits := func(s guard.Sessions, value string, now time.Time) bool { return s.Scope(value, now) == op }
	now := time.Unix(1_800_000_000, 0)
	value, read := s.Open(op, now), s.Open(reader, now)
	rotated := guard.NewSessions(guard.Guard{Operators: []string{"another-sesame-1", token}})
	withdrawn := guard.NewSessions(guard.Guard{Operators: []string{"another-sesame-1"}})
	longer := "9" + value // an end of one's own
	for what, c := range map[string]struct{ got, want bool }{
		"at once":            {fits(s, value, now), true},
		"on a second host":   {fits(rotated, value, now), true},
		"at the end":         {fits(s, value, now.Add(guard.SessionFor)), false},
		"just before":        {fits(s, value, now.Add(guard.SessionFor-time.Second)), true},
		"a withdrawn token":  {fits(withdrawn, value, now), false},
		"a longer one":       {fits(s, longer, now), false},
		"nothing":            {fits(s, "", now), false},
		"the token":          {fits(s, token, now), false},
		"a form as session":  {fits(s, s.Form(op, value), now), false},
		"its form":           {s.FormFits(op, value, s.Form(op, value)), true},
		"another's form":     {s.FormFits(op, s.Open(op, now), s.Form(op, value)), false},
		"no form":            {s.FormFits(op, value, ""), false},
		"tells no token":     {strings.Contains(value, token), false},
		"without tokens":     {fits(guard.NewSessions(guard.Guard{}), guard.NewSessions(guard.Guard{}).Open(op, now), now), false},
		"operator's":         {given.Sees(token) == op, true},
		"reporter's":         {given.Sees("reporters-sesame") == guard.Stranger, true},
		"reader's":           {s.Scope(read, now) == reader, true},
		"nobody's reader":    {withdrawn.Scope(read, now) == guard.Stranger, true},
		"a reader's form":    {s.FormFits(op, read, s.Form(reader, read)), false},
		"a form of no token": {guard.NewSessions(guard.Guard{}).FormFits(op, "", s.Form(op, "")), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v", what, c.got)
		}
	}
}
