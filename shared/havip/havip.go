// Package havip knows what is true of a high-availability virtual IP and what to
// do next about it: it looks, takes at most one step, and looks again.
package havip

import "slices"

// Status is a HAVIP's, in Alibaba's words; Baidu's bound becomes InUse.
type Status string

// The statuses of a HAVIP. Whatever else a cloud says counts as moving.
const (
	Available     Status = "Available"     // nobody holds it
	Associating   Status = "Associating"   // an attach is under way
	InUse         Status = "InUse"         // somebody holds it
	Unassociating Status = "Unassociating" // a detach is under way
)

// InstanceState is an instance's, as the cloud tells it.
type InstanceState string

// The states of an instance. An unknown one is the empty string.
const (
	Pending  InstanceState = "Pending"
	Starting InstanceState = "Starting"
	Running  InstanceState = "Running"
	Stopping InstanceState = "Stopping"
	Stopped  InstanceState = "Stopped"
	Deleted  InstanceState = "Deleted"
)

// Down tells whether an instance in this state can't serve and is not about to.
func (s InstanceState) Down() bool {
	return s == Stopping || s == Stopped || s == Deleted
}

// Rising tells whether an instance in this state is about to run.
func (s InstanceState) Rising() bool { return s == Pending || s == Starting }

// HAVIP is what a cloud says of one, and what we know beside it.
type HAVIP struct {
	ID      string
	Address string
	Network string // its vSwitch (Alibaba) or subnet (Baidu)
	Status  Status
	Type    string   // what holds it: EcsInstance or NetworkInterface; SERVER or ENI; "" where nothing does
	Holders []string // the instances or interfaces that hold it
	Serving string   // the holder that announces it; "" where none does, or none is known to
	Guards  bool     // the cloud detaches a serving holder only with Force

	// Announcer is whom the cloud names as the one that announces it, whether it
	// holds it or not; "" where it names nobody.
	Announcer string

	// What we know beside it; a Cloud leaves these alone.

	Limit      int                      // how many may hold it
	Unresolved bool                     // a call of ours has not shown its effect yet
	Failed     map[string]bool          // members with a live mark of failure
	States     map[string]InstanceState // of members; one that is missing is unknown
	Witness    Witness                  // of the second one, where it was asked
	untold     bool                     // the announcer may be a holder under another name
}

// On tells whether the instance holds the HAVIP.
func (h HAVIP) On(instance string) bool {
	return instance != "" && slices.Contains(h.Holders, instance)
}

// Moving tells that no call may be made now: a call of ours is unresolved, or
// the cloud is still at work.
func (h HAVIP) Moving() bool {
	switch h.Status {
	case InUse:
		return h.Unresolved
	case Available:
		return h.Unresolved || len(h.Holders) > 0
	default:
		return true
	}
}

// Full tells whether no further instance may hold it.
func (h HAVIP) Full() bool { return len(h.Holders) >= h.Limit }

// Guarded tells whether the cloud refuses to detach the instance without Force,
// because it serves.
func (h HAVIP) Guarded(instance string) bool {
	return h.Guards && instance != "" && h.Serving == instance
}

// Healthy tells that no live mark of failure stands against the instance.
// Unknown is healthy.
func (h HAVIP) Healthy(instance string) bool { return !h.Failed[instance] }

// HealthyBeside tells whether another holder is healthy and not known to be down.
func (h HAVIP) HealthyBeside(instance string) bool {
	return slices.ContainsFunc(h.Holders, func(other string) bool {
		return other != instance && h.Healthy(other) && !h.States[other].Down()
	})
}
