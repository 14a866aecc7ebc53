package guard_test

import (
	"strings"
	"testing"
	"time"

	"havip-functions/shared/guard"
)

func TestSessions(t *testing.T) {
	const token = "operators-sesame"
	s := guard.NewSessions(guard.Guard{Operators: []string{token}})
	now := time.Unix(1_800_000_000, 0)
	value := s.Open(now)
	rotated := guard.NewSessions(guard.Guard{Operators: []string{"another-sesame-1", token}})
	withdrawn := guard.NewSessions(guard.Guard{Operators: []string{"another-sesame-1"}})
	longer := "9" + value // an end of one's own
	for what, c := range map[string]struct{ got, want bool }{
		"at once":            {s.Fits(value, now), true},
		"on a second host":   {rotated.Fits(value, now), true},
		"at the end":         {s.Fits(value, now.Add(guard.SessionFor)), false},
		"just before":        {s.Fits(value, now.Add(guard.SessionFor-time.Second)), true},
		"a withdrawn token":  {withdrawn.Fits(value, now), false},
		"a longer one":       {s.Fits(longer, now), false},
		"nothing":            {s.Fits("", now), false},
		"the token":          {s.Fits(token, now), false},
		"a form as session":  {s.Fits(s.Form(value), now), false},
		"its form":           {s.FormFits(value, s.Form(value)), true},
		"another's form":     {s.FormFits(s.Open(now), s.Form(value)), false},
		"no form":            {s.FormFits(value, ""), false},
		"tells no token":     {strings.Contains(value, token), false},
		"without tokens":     {guard.NewSessions(guard.Guard{}).Fits(guard.NewSessions(guard.Guard{}).Open(now), now), false},
		"operator's":         {guard.Guard{Operators: []string{token}}.Operates(token), true},
		"reporter's":         {guard.Guard{Tokens: []string{token}}.Operates(token), false},
		"a form of no token": {guard.NewSessions(guard.Guard{}).FormFits("", s.Form("")), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v", what, c.got)
		}
	}
}
