package functionstest

import (
	"fmt"
	"slices"
	"strings"

	"havip-functions/events"
	"havip-functions/shared/simulator"
)

// Want finishes the scene and holds it to its ending, in the words of [Story].
func (s *Stage) Want(calls, outcomes, holders string) {
	s.Helper()
	s.Finish()
	s.same("calls", s.Calls(), calls)
	s.same("outcomes", s.outcomes(), outcomes)
	s.same("holders", s.Holders(), holders)
}

// Says holds the last outcome to words that it tells.
func (s *Stage) Says(words ...string) {
	s.Helper()
	last := s.Last()
	told := strings.Join([]string{last.Rule, last.Code, last.Advice}, " | ")
	for _, word := range words {
		if !strings.Contains(told, word) {
			s.Errorf("the last outcome tells %q, without %q", told, word)
		}
	}
}

func (s *Stage) same(what, got, want string) {
	s.Helper()
	if got != want {
		s.Errorf("the %s are %q, want %q", what, got, want)
	}
}

// Last is the newest outcome, or an empty one.
func (s *Stage) Last() events.Outcome {
	if len(s.Outcomes) == 0 {
		return events.Outcome{}
	}
	return outcome(s.Outcomes[len(s.Outcomes)-1])
}

func outcome(e events.Event) events.Outcome {
	o, _ := e.Data.(events.Outcome)
	return o
}

func (s *Stage) outcomes() string {
	var all []string
	for _, e := range s.Outcomes {
		o := outcome(e)
		all = append(all, strings.TrimSpace(o.Outcome+" "+o.Instance)+at(o.HAVIP))
	}
	return strings.Join(all, ", ")
}

// Holders are those of orders, as a [Story] has them.
func (s *Stage) Holders() string {
	h, _ := s.Clouds.HAVIP(s.scene.cloud(), Orders)
	holders := slices.Sorted(slices.Values(h.Holders))
	for i, id := range holders {
		if id == h.Master {
			holders[i] += "*"
		}
	}
	return strings.Join(holders, " ")
}

// Calls are those that ask for a change, as a [Story] has them.
func (s *Stage) Calls() string {
	var all []string
	for _, c := range s.Changes() {
		all = append(all, spell(c))
	}
	return strings.Join(counted(all), " ")
}

// counted writes a repeated word once, with how often it stood there.
func counted(words []string) []string {
	var short []string
	for i := 0; i < len(words); {
		n := 1
		for i+n < len(words) && words[i+n] == words[i] {
			n++
		}
		word := words[i]
		if n > 1 {
			word += fmt.Sprintf("*%d", n)
		}
		short = append(short, word)
		i += n
	}
	return short
}

// Changes are the calls that ask for a change, in order.
func (s *Stage) Changes() []simulator.Call {
	return slices.DeleteFunc(s.Clouds.Calls(simulator.CallFilter{}), func(c simulator.Call) bool {
		return !changes(c.Operation)
	})
}

func changes(operation string) bool {
	switch operation {
	case "AssociateHaVip", "AttachHaVip", "UnassociateHaVip", "DetachHaVip":
		return true
	}
	return false
}

func spell(c simulator.Call) string {
	text := "+"
	if c.Operation == "UnassociateHaVip" || c.Operation == "DetachHaVip" {
		text = "-"
	}
	text += strings.Join(c.Instances, "+")
	if c.Params["Force"] == "True" {
		text += "!"
	}
	if c.Code != "" {
		text += ":" + c.Code
	}
	return text + at(c.HAVIP)
}

func at(id string) string {
	if id == Orders || id == "" {
		return ""
	}
	return "@" + short(id)
}
