package functions_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// What goes wrong with who announces an address.
const (
	squatter         = "serving: squatter"
	stickyMaster     = "serving: sticky master"
	lostAnnouncement = "serving: lost announcement"

	// staleMaster is what only a probe would find: the cloud names a holder, who does
	// not answer.
	staleMaster = "a holder that does not answer"
)

// drawServing draws it from numbers of its own: whatever else the seed draws stays.
func (d *drawing) drawServing() {
	d.Rand = rand.New(rand.NewPCG(d.seed, 11))
	d.world.Alibaba[0].MastersByInstance = d.coin(0.3)
	for i := range d.policies {
		if d.coin(0.4) {
			d.policies[i].Probe = havip.Probe{How: "tcp", Port: 5432}
		}
	}
	if !d.coin(0.3) {
		return
	}
	for i := range 1 + d.IntN(3) {
		id, at := fmt.Sprintf("s%d", i), d.upTo(horizon/2)
		p := pick(d.Rand, d.policies...)
		m, other := pick(d.Rand, p.Members...), member(p, d.IntN(machines))
		switch d.IntN(4) {
		case 0:
			d.upset(id, at, squatter, func(r *run) { r.appoint(p, other.ID) })
		case 1:
			d.upset(id, at, stickyMaster, func(r *run) { r.announcing(p, simulator.HAVIPChange{Removed: new(true)}) })
		case 2:
			d.upset(id, at, lostAnnouncement, func(r *run) {
				r.announcing(p, simulator.HAVIPChange{Unheard: new(true)})
				r.appoint(p, m.ID)
			})
			d.upset(id+"+", at+d.upTo(time.Minute), "serving: announcements are heard", func(r *run) {
				r.announcing(p, simulator.HAVIPChange{Unheard: new(false)})
			})
		default:
			d.upset(id, at, "somebody reads the status", func(r *run) { r.readStatus(p) })
		}
		if d.coin(0.5) {
			d.upset(id+"!", at+d.upTo(4*time.Minute), "VRRP moves", func(r *run) { r.appoint(p, m.ID) })
		}
	}
}

func (r *run) announcing(p havip.Policy, c simulator.HAVIPChange) {
	r.must(r.sim.SetHAVIP(p.Cloud, p.ID, c))
}

// truth is who announces an address and who answers there, by the simulator's own record.
type truth struct {
	holders []string
	master  string // the last who was heard to announce it
	answers string
	hidden  bool // the cloud names no stranger
}

// truths are those before a read and after it: what was read is one of them.
type truths []truth

func (r *run) truth(p havip.Policy) truth {
	h, _ := r.sim.HAVIP(p.Cloud, p.ID)
	return truth{h.Holders, h.Master, r.sim.Answers(p.Cloud, p.ID), p.Cloud == "baidu"}
}

// held tells that a holder announces the address, as far as the cloud can know.
func (t truth) held() bool { return slices.Contains(t.holders, t.master) }

// allows tells whether what was said of the announcer is true.
func (t truth) allows(a havip.Announcement, down bool) bool {
	switch a.AnnouncedBy {
	case havip.ByHolder:
		return t.held() && a.Serving == t.master
	case havip.ByStranger:
		return !t.held() && t.master != "" && !t.hidden && a.Serving == ""
	case havip.ByNobody:
		return a.Serving == "" && (t.master == "" || t.hidden && !t.held() || down)
	case havip.ByMute:
		return a.Serving == "" && t.held()
	case havip.ByUnknown:
		return a.Serving == "" && t.master != ""
	}
	return a.Serving == ""
}

func (ts truths) allow(a havip.Announcement, down bool) bool {
	return slices.ContainsFunc(ts, func(t truth) bool { return t.allows(a, down) })
}

// asked is what the second witness found of an address in an invocation, and what it was.
type asked struct {
	answers string
	late    bool
}

// asks is the second witness. It may come too late, and never crashes: several ask at
// once.
func (r *run) asks(ctx context.Context, _ havip.Probe, address netip.Addr) error {
	v := invocationOf(ctx)
	i := slices.IndexFunc(r.plan.policies, func(p havip.Policy) bool {
		h, _ := r.sim.HAVIP(p.Cloud, p.ID)
		return h.IP == address.String()
	})
	p := r.plan.policies[i]
	rng := r.chance(fmt.Sprintf("%s/%d asks %s", v.msg.id, v.n, p.ID))
	time.Sleep(time.Duration(rng.Int64N(int64(30 * time.Millisecond))))
	found := asked{}
	v.locked(func() {
		found.late = r.happens(lateAnswer, rng.Float64(), func() string { return fmt.Sprintf("%s/%d of %s", v.msg.id, v.n, p.ID) })
	})
	if found.late {
		<-ctx.Done()
	}
	found.answers = r.sim.Answers(p.Cloud, p.ID)
	v.locked(func() { v.asked[p.ID] = found })
	switch {
	case found.late:
		return ctx.Err()
	case found.answers == "":
		return errors.New("nobody answers")
	}
	return nil
}

// checkWitness is promise 11 where the roster wants a second witness: what is called
// served has answered, and what was asked is told.
func (r *run) checkWitness(v *invocation, told havip.Story) {
	if (told.Probe == havip.Unreachable) != (told.AnnouncedBy == havip.ByMute) && told.AnnouncedBy != havip.ByNobody && told.AnnouncedBy != havip.ByStranger {
		r.fail(11, "story %s says %+v and %q", told.ID, told.Announcement, told.Probe)
	}
	w := v.looks[told.ID]
	looked := w != nil && w.err == nil && told.Outcome != havip.Superseded
	if !looked && told.Outcome != havip.ServingLost && told.Outcome != havip.ServingRestored { // it ended by what another look had read
		return
	}
	found, was := v.asked[told.HAVIP.ID]
	answered := was && !found.late && found.answers != ""
	switch told.Probe {
	case havip.Reachable, havip.Unreachable:
		if !was || answered != (told.Probe == havip.Reachable) {
			r.fail(11, "story %s says that the address is %s, and the witness found %+v", told.ID, told.Probe, found)
		}
	case havip.NotTried:
	default:
		good := told.Outcome == havip.Attached || told.Outcome == havip.Unchanged
		if looked && good && w.policy.Probe.How != "" && told.AnnouncedBy == havip.ByHolder {
			r.fail(11, "story %s ended as %s and served, and nobody asked the address", told.ID, told.Outcome)
		}
	}
}

// checkServed is promise 11: an outcome calls an address served where a holder was
// read to announce it, by the look that ended the story where it ended well.
func (r *run) checkServed(v *invocation, ended havip.Story) {
	known := r.tape.truths[ended.ID]
	if w := v.looks[ended.ID]; w != nil && (ended.Outcome == havip.Attached || ended.Outcome == havip.Unchanged) {
		known = w.truth
		if ended.AnnouncedBy == "" {
			r.fail(11, "story %s ended as %s and does not say who announces the address", ended.ID, ended.Outcome)
		}
	}
	if s := v.surveys[ended.HAVIP.ID]; ended.Outcome == havip.ServingLost || ended.Outcome == havip.ServingRestored {
		known = s
	}
	r.checkWitness(v, ended)
	r.count("announced by", string(ended.AnnouncedBy))
	if (ended.AnnouncedBy == havip.ByHolder) != (ended.Serving != "") {
		r.fail(11, "story %s says %+v", ended.ID, ended.Announcement)
	}
	if ended.AnnouncedBy != "" && !known.allow(ended.Announcement, r.anyDown(v, ended.HAVIP)) {
		r.fail(11, "story %s says %+v, and it was %+v", ended.ID, ended.Announcement, known)
	}
	if slices.ContainsFunc(known, func(t truth) bool { return ended.Serving != "" && t.answers != ended.Serving && t.held() }) {
		r.count("announced by", staleMaster)
	}
}

// anyDown tells whether an instance was seen down, which can't announce anything.
func (r *run) anyDown(v *invocation, key havip.Key) bool {
	for n := range machines + 1 {
		if v.downs[key.Cloud+machine(n)] || r.instance(key.Cloud, machine(n)).Down() {
			return true
		}
	}
	return false
}

// checkWatch holds what a sweep tells of an address to promise 11: it is lost after
// servingWithin, restored when it was lost, and each is told once.
func (r *run) checkWatch(v *invocation, told havip.Story) {
	s := r.tape.shelves[told.HAVIP.String()]
	held := slices.ContainsFunc(v.surveys[told.HAVIP.ID], truth.held)
	r.checkWitness(v, told)
	restored := told.Outcome == havip.ServingRestored
	switch after := told.EndedAt.Sub(told.StartedAt); {
	case restored != s.lost:
		r.fail(11, "%s of %s was told, and before it that it is lost: %t", told.Outcome, told.HAVIP.ID, s.lost)
	case restored && !held:
		r.fail(11, "%s of %s was told, and no holder was seen to announce it", told.Outcome, told.HAVIP.ID)
	case !restored && after < s.policy.ServingWithin:
		r.fail(11, "%s of %s was told after %v", told.Outcome, told.HAVIP.ID, after)
	case !restored && s.served.After(told.StartedAt.Add(r.apart())):
		r.fail(11, "%s of %s was told as since %v, and it was read as served at %v", told.Outcome, told.HAVIP.ID, told.StartedAt, s.served)
	case told.Rule == "" != restored || told.Advice == "" != restored:
		r.fail(11, "%s of %s has the rule %q and the advice %q", told.Outcome, told.HAVIP.ID, told.Rule, told.Advice)
	}
	s.lost = !restored
}

// checkKnown is promise 11 in the end: what the last sweeps and a reader of the status
// know is how it is.
func (r *run) checkKnown(p havip.Policy) {
	s, now := r.tape.shelf(p), r.truth(p)
	view := r.status(p)
	if !now.allows(view.Announcement, r.anyDown(&invocation{}, p.Key())) {
		r.fail(11, "the status of %s says %+v, and it is %+v", p.ID, view.Announcement, now)
	}
	outage := s.record.Outage
	lost := outage != nil && outage.Told
	mute := p.Probe.How != "" && now.held() && now.answers == ""
	if told := p.Mode != havip.Paused && view.AnnouncedBy != havip.ByUnknown; told && mute != (view.AnnouncedBy == havip.ByMute) {
		r.fail(11, "the status of %s says %+v, and it is %+v", p.ID, view.Announcement, now)
	}
	if p.Mode != havip.Paused && view.AnnouncedBy != havip.ByUnknown && lost == (now.held() && !mute) {
		r.fail(11, "%s is %+v, and the sweep's record says %+v", p.ID, now, outage)
	}
}

// status is what a person is shown of a HAVIP.
func (r *run) status(p havip.Policy) havip.View {
	k := havip.Keeper{Ledger: r.store, Roster: fixed{p}, Clouds: func(_ context.Context, p havip.Policy, _ string) (havip.Cloud, havip.Fleet, error) {
		c := r.open(p)
		return c, c, nil
	}}
	return k.Status(context.Background(), p.ID)[0]
}

type fixed []havip.Policy

func (f fixed) Policies() []havip.Policy { return f }

func (f fixed) Index() *havip.Index { return havip.NewIndex(f) }

// readStatus is promise 11 under way.
func (r *run) readStatus(p havip.Policy) {
	known := truths{r.truth(p)}
	view := r.status(p)
	known = append(known, r.truth(p))
	r.locked(func() {
		if view.AnnouncedBy != "" && !known.allow(view.Announcement, r.anyDown(&invocation{}, p.Key())) {
			r.fail(11, "the status of %s says %+v, and it was %+v", p.ID, view.Announcement, known)
		}
	})
}
