package havip

import "slices"

// Want is what should be: Instance holds the HAVIP, Release no longer does.
type Want struct {
	Instance string `json:"instance"`
	Release  string `json:"release"`
	Force    bool   `json:"force"`    // release even a serving holder that the cloud guards
	AllowGap bool   `json:"allowGap"` // release even the last healthy holder
}

// Step is what to do next.
type Step string

// The steps.
const (
	Wait   Step = "Wait"
	Detach Step = "Detach"
	Attach Step = "Attach"
	Done   Step = "Done"
	Refuse Step = "Refuse"
)

// Next decides. It is pure and has an answer for every state.
func Next(want Want, have HAVIP) Step {
	on, held := have.On(want.Instance), have.On(want.Release)
	switch {
	case have.Moving():
		return Wait
	case want.Instance == "" || want.Instance == want.Release:
		return Refuse // a release names the holder that stays
	case on && !held:
		return Done
	case !on && !have.Full():
		return Attach
	case !held:
		return Refuse // full, and nobody to release
	case have.Healthy(want.Release) && !have.HealthyBeside(want.Release) && !want.AllowGap:
		return Refuse // the last healthy holder
	case have.Guarded(want.Release) && !want.Force:
		return Wait // it serves; VRRP may still move it
	default:
		return Detach
	}
}

// Choose picks the Want anew at every look: one fixed when its event came leaves
// HAVIPs without a healthy holder when two events cross. It is pure.
func Choose(p Policy, have HAVIP, s Story) Want {
	want := Want{Force: p.OnHealthFailed == ForceReplace}
	if s.Ask.Kind == AskRecover {
		want = Want{Instance: s.Ask.Instance, Release: s.Ask.Release, Force: s.Ask.Force, AllowGap: s.Ask.AllowGap}
	}
	asked := want.Release
	stays := stayingHolders(have, asked)
	standby := standby(p, have, s)
	short := len(stays) < p.Hold
	if want.Instance == "" {
		want.Instance = instance(have, stays, short, standby)
	}
	crowded := len(have.Holders) >= p.Hold || have.Full()
	replacing := byPerson(s, want.Instance) || !short || standby != ""
	if asked == "" && p.OnHealthFailed != Add && crowded && replacing && want.Instance != "" {
		want.Release = failedHolder(p, have, want.Instance)
	}
	if stuckBehindGuard(want, have) {
		want.Instance = ""
	}
	return want
}

// byPerson tells that a person named the instance.
func byPerson(s Story, instance string) bool {
	return s.Ask.Kind == AskRecover && s.Ask.Instance != "" && s.Ask.Instance == instance
}

func instance(have HAVIP, stays []string, short bool, standby string) string {
	switch {
	case short && standby != "":
		return standby
	case len(stays) == 0:
		return ""
	case slices.Contains(stays, have.Serving):
		return have.Serving
	}
	return stays[0]
}

// stayingHolders are those that count toward hold: healthy, not known to be down,
// and not to be released.
func stayingHolders(have HAVIP, release string) []string {
	var stay []string
	for _, id := range have.Holders {
		if have.Healthy(id) && !have.States[id].Down() && id != release {
			stay = append(stay, id)
		}
	}
	return stay
}

// failedHolder returns a failed holder of the roster other than keep, an
// unguarded one first.
func failedHolder(p Policy, have HAVIP, keep string) string {
	guarded := ""
	for _, id := range have.Holders {
		_, member := p.Member(id)
		switch {
		case have.Healthy(id) || id == keep || !member:
		case have.Guarded(id):
			guarded = id
		default:
			return id
		}
	}
	return guarded
}

// stuckBehindGuard tells that waiting for VRRP is in vain: the only holder
// serves, may not be detached without Force, and leaves no room for another.
func stuckBehindGuard(want Want, have HAVIP) bool {
	return len(have.Holders) == 1 && have.On(want.Release) && !have.On(want.Instance) &&
		have.Full() && have.Guarded(want.Release) && !want.Force
}

// standby returns the member to attach next, or "": the first that is neither
// failed nor down nor refused, the one that the event named before the others,
// and one that is only about to run last. While somebody healthy holds the
// HAVIP, the instance whose start was announced is waited for instead: nothing
// is urgent then, and the roster's order is its owner's preference.
func standby(p Policy, have HAVIP, s Story) string {
	calm := len(stayingHolders(have, s.Ask.Release)) > 0
	best, bestRank := "", 0
	for i, m := range p.Members {
		if have.On(m.ID) || !have.Healthy(m.ID) || have.States[m.ID].Down() ||
			slices.Contains(s.Barred, m.ID) || (s.Ask.Kind == AskRecover && m.ID == s.Ask.Release) {
			continue
		}
		rank := i + 1
		announced := m.ID == s.Ask.Instance && s.Ask.Kind == AskStarted
		if m.ID == s.Ask.Instance {
			rank = 0
		}
		if !announced || !calm {
			if have.States[m.ID].Rising() {
				rank += 1000
			}
			if slices.Contains(s.Skip, m.ID) {
				rank += 2000 // it empties when nobody else is left: see Keeper
			}
		}
		if best == "" || rank < bestRank {
			best, bestRank = m.ID, rank
		}
	}
	return best
}
