package functions_test

import (
	"fmt"
	"slices"
	"time"

	"havip-functions/shared/havip"
)

// edition is a version of the roster, and since when it is in force.
type edition struct {
	since    time.Time
	policies []havip.Policy
	index    *havip.Index
}

// Policies implements [havip.Roster].
func (r *run) Policies() []havip.Policy {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.roster()
}

// Index implements [havip.Roster].
func (r *run) Index() *havip.Index {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.editions[len(r.editions)-1].index
}

func (r *run) roster() []havip.Policy { return r.editions[len(r.editions)-1].policies }

// edit changes what the roster should say, and puts that into force.
func (r *run) edit(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
	var now []havip.Policy
	for _, p := range r.written {
		p.Hold = min(p.Hold, p.Limit, len(p.Members))
		p.Roster = fmt.Sprintf("edition-%d", len(r.editions))
		if !r.gone[p.ID] {
			now = append(now, p)
		}
	}
	r.editions = append(r.editions, edition{time.Now(), now, havip.NewIndex(now)})
}

// asOf is what the editions that were in force since a moment say of a HAVIP; each
// in which it is missing adds to missing.
func (r *run) asOf(key havip.Key, since time.Time) (said []havip.Policy, missing int) {
	for i := len(r.editions) - 1; i >= 0; i-- {
		at := slices.IndexFunc(r.editions[i].policies, func(p havip.Policy) bool { return p.Key() == key })
		if at < 0 {
			missing++
		} else {
			said = append(said, r.editions[i].policies[at])
		}
		if r.editions[i].since.Before(since) {
			break
		}
	}
	return said, missing
}

// concerned tells whether an event is about a HAVIP by every edition that was in
// force since then, and whether by any.
func (r *run) concerned(n news, key havip.Key, since time.Time) (always, ever bool) {
	said, missing := r.asOf(key, since)
	always = missing == 0
	for _, p := range said {
		about := n.concerns(p)
		always, ever = always && about, ever || about
	}
	return always, ever
}

// everybody is a policy with all who may ever be its members.
func everybody(p havip.Policy) havip.Policy {
	p.Members = nil
	for n := range machines + 1 {
		p.Members = append(p.Members, member(p, n))
	}
	return p
}

func member(p havip.Policy, n int) havip.Member {
	m := havip.Member{ID: machine(n), Instance: machine(n)}
	if p.InstanceType == "NetworkInterface" || p.InstanceType == "ENI" {
		m.ID = fmt.Sprintf("eni-%d", n)
	}
	return m
}

// drawEdits lets the roster be edited under way, half of the time while an event is
// fresh.
func (d *drawing) drawEdits() {
	if !d.edited {
		return
	}
	for i := range 1 + d.IntN(5) {
		at := d.upTo(horizon)
		if d.coin(0.5) {
			n := pick(d.Rand, d.news...)
			at = min(horizon, n.at+d.upTo(pick(d.Rand, 300*time.Millisecond, 3*time.Second, 30*time.Second)))
		}
		d.drawEdit(fmt.Sprintf("r%d", i), at, d.IntN(len(d.policies)))
	}
}

func (d *drawing) drawEdit(id string, at time.Duration, which int) {
	p := d.policies[which]
	change := func(what string, do func(p *havip.Policy)) {
		d.upset(id, at, "roster: "+what, func(r *run) { r.edit(func() { do(&r.written[which]) }) })
	}
	n, m := d.IntN(machines), member(p, d.IntN(machines))
	limit, mode := pick(d.Rand, 1, 2, 2, 3), pick(d.Rand, havip.Act, havip.Act, havip.Observe, havip.Paused)
	failed := pick(d.Rand, havip.Replace, havip.Add, havip.ForceReplace)
	switch d.IntN(8) {
	case 0:
		change("a member leaves", func(p *havip.Policy) {
			if len(p.Members) > 1 {
				n := n % len(p.Members)
				p.Members = slices.Delete(slices.Clone(p.Members), n, n+1)
			}
		})
	case 1:
		change("a member comes", func(p *havip.Policy) {
			if !slices.Contains(p.Members, m) {
				p.Members = append([]havip.Member{m}, p.Members...)
			}
		})
	case 2:
		change("mode "+string(mode), func(p *havip.Policy) { p.Mode = mode })
	case 3:
		change("hold", func(p *havip.Policy) { p.Hold = 1 + n%3 })
	case 4:
		change("limit", func(p *havip.Policy) { p.Limit = limit })
	case 5:
		change("onHealthFailed", func(p *havip.Policy) { p.OnHealthFailed = failed })
	case 6:
		change("account", func(p *havip.Policy) { p.Account, p.Access = "second", havip.Access{Credentials: "env:SECOND"} })
	default:
		d.upset(id, at, "roster: a HAVIP leaves", func(r *run) { r.edit(func() { r.gone[p.ID] = true }) })
		d.upset(id+"!", at+d.upTo(3*time.Minute), "roster: a HAVIP comes back", func(r *run) { r.edit(func() { r.gone[p.ID] = false }) })
	}
}

// keysOf are the keys of a policy's account.
func keysOf(p havip.Policy) havip.Credentials {
	if p.Access.Credentials == "env:SECOND" {
		return secondKeys
	}
	return ourKeys
}

func ours(accessKey string) bool {
	return accessKey == ourKeys.AccessKeyID || accessKey == secondKeys.AccessKeyID
}

// checkRoster is promise 14: a call is as the roster was while its lease was
// written, all of it.
func (r *run) checkRoster(w *witness, s *sent) {
	if slices.ContainsFunc(s.lease.roster, func(p havip.Policy) bool {
		_, member := p.Member(s.call.Instance)
		room := s.verb == havip.Detach || len(w.have.Holders) < p.Limit
		return member && room && p.Mode == havip.Act && p.Limit == w.policy.Limit && p.Hold == w.policy.Hold &&
			p.Account == w.policy.Account && p.Access == w.policy.Access && p.InstanceType == s.call.InstanceType
	}) {
		return
	}
	r.fail(14, "%s of %s for %s in mode %s, by the roster %s, and the lease was written under %+v",
		s.verb, s.call.Instance, w.policy.Account, w.policy.Mode, w.policy.Roster, s.lease.roster)
}
