package simulator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// model is the HAVIP as a few lines would have it: who holds it, what is under
// way, who runs, and since when nobody serves though somebody could.
type model struct {
	holders []string
	move    string // the instance; "": none
	detach  bool
	due     time.Time
	states  map[string]havip.InstanceState
	idle    time.Time // zero: it is served, or nobody could
}

// settle lets pass what is due.
func (m *model) settle() {
	if m.move == "" || m.due.After(time.Now()) {
		return
	}
	if m.detach {
		m.holders = slices.DeleteFunc(slices.Clone(m.holders), func(h string) bool { return h == m.move })
		m.idle = time.Time{} // it may have served since the last look, and have gone with this
	} else {
		m.holders = append(slices.Clone(m.holders), m.move)
	}
	m.move = ""
}

func (m *model) status() havip.Status {
	switch {
	case m.move != "" && m.detach:
		return havip.Unassociating
	case m.move != "":
		return havip.Associating
	case len(m.holders) > 0:
		return havip.InUse
	default:
		return havip.Available
	}
}

// code is what the cloud should say to a change.
func (m *model) code(instance string, detach, force bool, master string) string {
	steady := m.states[instance] == havip.Running || m.states[instance] == havip.Stopped
	on := slices.Contains(m.holders, instance)
	switch {
	case m.move != "":
		return "IncorrectHaVipStatus"
	case detach && !on:
		return "ResourceNotAssociated"
	case !detach && on:
		return "InvalidHaVip.Exist"
	case !steady:
		return "IncorrectInstanceStatus"
	case detach && !force && master == instance:
		return "Forbidden.UnassociateMaster"
	case !detach && len(m.holders) == 2:
		return "CountLimitExceeded.HaVipOnECSInstance"
	default:
		return ""
	}
}

// compare holds the HAVIP against the model.
func (m *model) compare(t *rapid.T, h simulator.HAVIP) {
	if h.Status != m.status() || strings.Join(h.Holders, " ") != strings.Join(m.holders, " ") {
		t.Fatalf("the HAVIP is %s %v, the model %s %v", h.Status, h.Holders, m.status(), m.holders)
	}
	can := func(i string) bool { return slices.Contains(m.holders, i) && m.states[i] == havip.Running }
	switch {
	case h.Master != "" && !can(h.Master):
		t.Fatalf("%s serves and can't: it is %s, holders %v", h.Master, m.states[h.Master], m.holders)
	case h.Master != "" || !slices.ContainsFunc(m.holders, can):
		m.idle = time.Time{}
	case m.idle.IsZero():
		m.idle = time.Now()
	case time.Since(m.idle) >= 3600*time.Millisecond:
		t.Fatalf("nobody has served for %v, and one of %v could", time.Since(m.idle), m.holders)
	}
}

func TestWorldKeepsToItsModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A bubble has no deadline, which rapid would ask a *testing.T for.
		rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) {
			s, err := simulator.New(simulator.Options{})
			if err != nil {
				rt.Fatal(err)
			}
			defer s.Close()
			c := newClient(t, s)
			m := &model{states: map[string]havip.InstanceState{"i-db1": havip.Running, "i-db2": havip.Running, "i-db3": havip.Running}}
			instance := rapid.SampledFrom([]string{"i-db1", "i-db2", "i-db3"})
			state := rapid.SampledFrom([]havip.InstanceState{havip.Starting, havip.Running, havip.Running, havip.Stopping, havip.Stopped})
			change := func(action string) func(*rapid.T) {
				return func(rt *rapid.T) {
					i, force := instance.Draw(rt, "instance"), rapid.Bool().Draw(rt, "force")
					h, _ := s.HAVIP("alibaba", "havip-bp1orders")
					want := m.code(i, action == "UnassociateHaVip", force, h.Master)
					if r := c.change(action, i, "Force", fmt.Sprint(force)); r.Code != want {
						rt.Fatalf("%s %s: %d %s, want %s", action, i, r.Status, r.Code, want)
					}
					if want == "" {
						m.move, m.detach, m.due = i, action == "UnassociateHaVip", time.Now().Add(2*time.Second)
					}
				}
			}
			rt.Repeat(map[string]func(*rapid.T){
				"":       func(rt *rapid.T) { h, _ := s.HAVIP("alibaba", "havip-bp1orders"); m.compare(rt, h) },
				"attach": change("AssociateHaVip"),
				"detach": change("UnassociateHaVip"),
				"state": func(rt *rapid.T) {
					i, to := instance.Draw(rt, "instance"), state.Draw(rt, "state")
					if err := s.SetInstance("alibaba", i, to); err != nil {
						rt.Fatal(err)
					}
					m.states[i] = to
				},
				"wait": func(rt *rapid.T) {
					elapse(time.Duration(rapid.IntRange(1, 30).Draw(rt, "tenths")) * 100 * time.Millisecond)
					m.settle()
				},
			})
		})
	})
}
