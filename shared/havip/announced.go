package havip

import (
	"cmp"
	"slices"
	"strings"
)

// AnnouncedBy tells who announces an address, as far as the cloud, the roster and the
// second witness say. Only a holder serves.
type AnnouncedBy string

// Who may announce an address.
const (
	ByHolder   AnnouncedBy = "holder"
	ByStranger AnnouncedBy = "stranger" // one that does not hold the HAVIP; it is named, and never detached
	ByNobody   AnnouncedBy = "nobody"
	ByMute     AnnouncedBy = "mute"    // a holder by the cloud's word, and the address answers no probe
	ByUnknown  AnnouncedBy = "unknown" // one is named, and whether it is a holder can't be told
)

// recognize finds the holder whom the cloud means by its announcer. An interface may
// be named by its instance, which the members tell.
func (h *HAVIP) recognize(p Policy) {
	if h.On(h.Announcer) {
		h.Serving = h.Announcer
	}
	if m, member := p.Member(h.Announcer); member && h.On(m.ID) {
		h.Serving = m.ID
	}
	h.untold = h.Serving == "" && h.Announcer != "" && h.mayBeHolder(p)
}

// mayBeHolder tells that the announcer is named in another way than the holders are,
// and that it is not known what they are called in that way.
func (h *HAVIP) mayBeHolder(p Policy) bool {
	byInterface := h.Type == "NetworkInterface" || h.Type == "ENI"
	if byInterface == strings.HasPrefix(h.Announcer, "eni-") {
		return false
	}
	if !byInterface {
		return len(h.Holders) > 0
	}
	return slices.ContainsFunc(h.Holders, func(id string) bool {
		m, member := p.Member(id)
		return !member || m.Instance == m.ID
	})
}

// AnnouncedBy tells who announces the address. One that the cloud still names, and
// whose instance it says is down, announces nothing.
func (h HAVIP) AnnouncedBy() AnnouncedBy {
	switch {
	case h.Serving != "" && !h.States[h.Serving].Down() && h.Witness.Probe == Unreachable:
		return ByMute
	case h.Serving != "" && !h.States[h.Serving].Down():
		return ByHolder
	case h.Serving != "" || h.Announcer == "":
		return ByNobody
	case h.untold:
		return ByUnknown
	}
	return ByStranger
}

// Announcement is who announces an address, as it is told.
type Announcement struct {
	Serving     string      `json:"serving"`               // the holder that does; "" where none is known to
	AnnouncedBy AnnouncedBy `json:"announcedBy,omitempty"` // "" where the HAVIP was not read
	Announcer   string      `json:"announcer,omitempty"`   // whom the cloud names, holder or not
}

// announcement is what may be said of the HAVIP: nobody but a holder that announces the
// address serves.
func (h HAVIP) announcement() Announcement {
	a := Announcement{AnnouncedBy: h.AnnouncedBy(), Announcer: cut(h.Announcer, maxCode)}
	if a.AnnouncedBy == ByHolder {
		a.Serving = h.Serving
	}
	return a
}

// unserved says why nobody serves the address, and what a person can do; "" where a
// holder does. It names the holder where one should, or the first that may.
func (h HAVIP) unserved(p Policy, holder string) (rule, advice string) {
	if holder == "" || h.States[holder].Down() {
		holder = h.standing()
	}
	address := cmp.Or(h.Address, "the address")
	switch by := h.AnnouncedBy(); {
	case by == ByHolder:
		return "", ""
	case by == ByStranger:
		instead := "add " + h.Announcer + " to the members in roster.yaml"
		if _, member := p.Member(h.Announcer); member {
			instead = "let it hold it, by " + recoverCommand(p.Name, "--instance", h.Announcer)
		}
		return h.Announcer + ", which does not hold it, announces " + address,
			"stop keepalived on " + h.Announcer + " or take " + address + " off its interfaces, then restart keepalived on " +
				cmp.Or(holder, "a holder") + ", which announces it again; or " + instead
	case by == ByUnknown:
		return "it can't be told whether " + h.Announcer + ", which announces " + address + ", is a holder",
			"write interfaces with their instance into the members in roster.yaml, {id: eni-1, instance: i-db1}"
	case by == ByMute:
		return address + " does not answer " + p.Probe.String() + ": " + h.Witness.ProbeReason + ", though the cloud names " + h.Serving,
			"on " + h.Serving + " check that the service listens and that " + address + " is on its interface, then restart keepalived there, which announces it again; check the security group"
	case len(h.Holders) == 0 && h.Moving():
		return "nobody holds it, and it is " + string(h.Status), waitForCloud
	case h.Moving():
		return "no holder announces the address, and it is " + string(h.Status), waitForCloud
	case len(h.Holders) == 0:
		return "nobody holds it", "run " + recoverCommand(p.Name)
	case holder == "":
		return "no holder announces the address, and none runs", "start one, or run " + recoverCommand(p.Name)
	}
	return "no holder announces the address",
		"check keepalived on " + holder + " and that the address is configured on its interface"
}

const waitForCloud = "wait: the cloud takes one change at a time, and the sweep sees to the rest"

// standing is the first holder that is not known to be down.
func (h HAVIP) standing() string {
	for _, id := range h.Holders {
		if !h.States[id].Down() {
			return id
		}
	}
	return ""
}
