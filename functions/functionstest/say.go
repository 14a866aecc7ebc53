package functionstest

import (
	"fmt"
	"time"

	"havip-functions/events"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// Event makes an event of the test's own: e1, e2 and so on.
func (s *Stage) Event(d events.Data) events.Event {
	s.events++
	e := events.New(fmt.Sprintf("e%d", s.events), time.Now(), d)
	e.Source = "urn:test"
	return e
}

// Post hands an event to the function as a host would.
func (s *Stage) Post(e events.Event) {
	s.Helper()
	if err := s.Try(e); err != nil {
		s.Errorf("%s %s: %v", e.Type, e.ID, err)
	}
}

// Try posts an event that may fail.
func (s *Stage) Try(e events.Event) error {
	payload, err := e.MarshalJSON()
	if err != nil {
		return err
	}
	return s.Function.Invoke(s.Context(), payload)
}

func (s *Stage) fact(instance string) events.Fact {
	return events.Fact{Cloud: s.scene.cloud(), Region: s.scene.region(), Instance: instance}
}

// Failed is the event that says so of an instance.
func (s *Stage) Failed(instance string) events.Event {
	return s.Event(events.HealthFailed(s.fact(instance)))
}

// Restored is the event that says so of an instance.
func (s *Stage) Restored(instance string) events.Event {
	return s.Event(events.HealthRestored(s.fact(instance)))
}

// Started is the event that says so of an instance.
func (s *Stage) Started(instance string) events.Event {
	return s.Event(events.InstanceStarted(s.fact(instance)))
}

// Recover is a person's request. It is for orders where it names no HAVIP.
func (s *Stage) Recover(r events.Recover) events.Event {
	r.Cloud, r.Region, r.Actor = s.scene.cloud(), s.scene.region(), "ops"
	if r.HAVIP == "" {
		r.HAVIP = Orders
	}
	return s.Event(r)
}

// Sweep is the timer's event.
func (s *Stage) Sweep() events.Event { return s.Event(events.Sweep{}) }

// SweepOf is one for a single HAVIP.
func (s *Stage) SweepOf(name string) events.Event { return s.Event(events.Sweep{HAVIP: name}) }

// Check is a follow-up.
func (s *Stage) Check(c events.StatusCheck) events.Event {
	c.Cloud, c.Region, c.HAVIP = s.scene.cloud(), s.scene.region(), Orders
	return s.Event(c)
}

// Instance puts an instance into a state.
func (s *Stage) Instance(id string, state havip.InstanceState) {
	s.Helper()
	if err := s.Clouds.SetInstance(s.scene.cloud(), id, state); err != nil {
		s.Fatal(err)
	}
}

// Silence makes nobody announce orders any more.
func (s *Stage) Silence() { s.Change(simulator.HAVIPChange{Master: new(string)}) }

// Serve makes a holder announce orders at once.
func (s *Stage) Serve(holder string) { s.Change(simulator.HAVIPChange{Master: &holder}) }

// Change changes orders by hand, as a third party would.
func (s *Stage) Change(c simulator.HAVIPChange) {
	s.Helper()
	if err := s.Clouds.SetHAVIP(s.scene.cloud(), Orders, c); err != nil {
		s.Fatal(err)
	}
}

// Fault puts a fault into force.
func (s *Stage) Fault(f simulator.Fault) {
	s.Helper()
	if err := s.Clouds.AddFault(f); err != nil {
		s.Fatal(err)
	}
}
