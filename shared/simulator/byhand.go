package simulator

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator/worldfile"
)

// SetInstance puts an instance into a state, as PUT /clouds/{cloud}/instances/{id}
// does.
func (s *Simulator) SetInstance(cloud, id string, state havip.InstanceState) error {
	if !slices.Contains(worldfile.InstanceStates, state) {
		return errors.New(worldfile.NotOneOf("state", state, worldfile.InstanceStates))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.world.instance(cloud, id)
	if i == nil {
		return notFound(fmt.Sprintf("%s has no instance %q; GET /world lists them", cloud, id))
	}
	if i.state == state {
		return nil
	}
	i.setState(state, time.Now())
	s.alarm.stateChange(i)
	return nil
}

// HAVIPChange is what [Simulator.SetHAVIP] changes; nil leaves as it is.
type HAVIPChange struct {
	Status *havip.Status `json:"status"` // shown until the next attach, detach or change
	Master *string       `json:"master"` // who announces it now, a holder or a stranger that runs; "": nobody, until one is set again

	Removed *bool `json:"removed"` // the address was taken off whoever serves it, and no ARP says so
	Unheard *bool `json:"unheard"` // from now on the cloud hears nobody announce it
}

// SetHAVIP changes a HAVIP by hand, as PUT /clouds/{cloud}/havips/{id} does.
func (s *Simulator) SetHAVIP(cloud, id string, c HAVIPChange) error {
	if c.Status != nil && !slices.Contains(worldfile.HAVIPStatuses, *c.Status) {
		return errors.New(worldfile.NotOneOf("status", *c.Status, worldfile.HAVIPStatuses))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.world.address(cloud, id)
	if a == nil {
		return notFound(fmt.Sprintf("%s has no HAVIP %q; GET /world lists them", cloud, id))
	}
	a.settle(time.Now())
	if c.Unheard != nil {
		a.unheard = *c.Unheard
	}
	if c.Master != nil {
		if err := a.appoint(*c.Master); err != nil {
			return err
		}
	}
	if c.Removed != nil {
		a.removed = *c.Removed
	}
	if c.Status != nil {
		a.force(*c.Status)
	}
	return nil
}

// Answers is who answers at the address of a HAVIP, holder or not; "" for nobody. The
// cloud can't know: it names the last one that it heard announce it.
func (s *Simulator) Answers(cloud, id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.world.address(cloud, id)
	if a == nil {
		return ""
	}
	a.settle(time.Now())
	return a.answers()
}
