package functions_test

import (
	"maps"
	"testing"
)

// shrink leaves out of a failing plan, one by one, whatever it fails without.
func shrink(t *testing.T, failing *run) *run {
	t.Helper()
	parts := failing.struck
	for _, n := range failing.plan.news {
		parts = append(parts, n.id)
	}
	for _, u := range failing.plan.upsets {
		parts = append(parts, u.id)
	}
	for again := true; again; {
		again = false
		for _, part := range parts {
			if failing.plan.without[part] {
				continue
			}
			smaller := *failing.plan
			smaller.without = maps.Clone(failing.plan.without)
			smaller.without[part] = true
			if r := smaller.play(t, false); r.failure != nil && r.failure.promise == failing.failure.promise {
				failing, again = r, true
			}
		}
	}
	return failing.plan.play(t, true)
}
