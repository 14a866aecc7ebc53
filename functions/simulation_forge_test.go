package functions_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"havip-functions/events"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
)

// The keys of seals: ours, the one after it, and somebody else's.
const (
	sealKey   = "a-seal-of-this-deployment"
	laterKey  = "a-later-seal-of-the-same-one"
	forgedKey = "a-seal-of-somebody-else"

	forgedToken = "forged"
)

// seal is what the hosts of a sealed seed know their own follow-ups by.
func (r *run) seal() guard.Seal {
	if !r.plan.sealed {
		return guard.Seal{} // their bus is their own
	}
	return sealOf(r.sealKeys)
}

func sealOf(keys string) guard.Seal {
	s, err := guard.SealFromEnvironment(func(string) string { return keys })
	if err != nil {
		panic(err) // the simulation's own keys are good
	}
	return s
}

// drawForgeries lets somebody forge follow-ups: before the doors of any seed, and as
// who may invoke the functions where these are sealed. Half of them come before
// anything else did, since what they carry counts where there is no record.
func (d *drawing) drawForgeries() {
	if d.sealed && d.coin(0.3) {
		d.upset("keys", d.upTo(horizon), "the seal's key is rotated", func(r *run) {
			r.locked(func() {
				r.sealKeys = laterKey + " " + sealKey
				for n := range r.hosts {
					r.restart(n)
				}
			})
		})
	}
	if !d.sealed && (!d.doors || d.coin(0.7)) {
		return
	}
	for i := range 1 + d.IntN(5) {
		id, at := fmt.Sprintf("f%d", i), d.upTo(2*time.Second)
		if d.coin(0.5) {
			at = min(horizon, pick(d.Rand, d.news...).at+d.upTo(20*time.Second))
		}
		p, w := pick(d.Rand, d.policies...), way{}
		if !d.sealed || d.doors && d.coin(0.3) {
			w = d.drawWay()
		}
		d.upset(id, at, "a forged follow-up", func(r *run) { r.deliverForged(id, p, w) })
	}
}

// deliverForged writes a follow-up in the name of ours, as it would look now.
func (r *run) deliverForged(id string, p havip.Policy, w way) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := forger{r.chance(id), r, r.tape.shelf(p)}
	check, ours := f.check()
	e := events.New(pick(f.Rand, id, id+"\"<\u2028"), time.Now(), check)
	e.Source = pick(f.Rand, events.Source, urn)
	r.count("forged", map[bool]string{true: "replayed", false: "not ours"}[ours])
	r.deliver(&message{
		id: id, event: id, payload: encoded(e), way: w, forged: !ours, attempt: check.Attempt, story: check.Story,
	}, time.Since(r.began)+r.jitter(id))
}

// forger forges what concerns one HAVIP.
type forger struct {
	*rand.Rand
	*run
	*shelf
}

func (f forger) coin(p float64) bool { return f.Float64() < p }

// check is a follow-up, and tells whether it is one of ours, again.
func (f forger) check() (check events.StatusCheck, ours bool) {
	if sealed := f.tape.sealed; len(sealed) > 0 && f.coin(0.3) {
		check = pick(f.Rand, sealed...)
		story, id := check.Story, check.HAVIP
		switch f.IntN(5) {
		case 0:
			check.Attempt++
			return check, false
		case 1:
			check.Story = f.story()
		case 2:
			check.Cloud, check.Region, check.HAVIP = f.policy.Cloud, f.policy.Region, f.policy.ID
		}
		return check, check.Story == story && check.HAVIP == id
	}
	check = events.StatusCheck{Cloud: f.policy.Cloud, Region: f.policy.Region, HAVIP: f.policy.ID, Story: f.story()}
	check.Attempt = pick(f.Rand, 1, 1, 1, f.IntN(30)+1, 1<<31-1)
	if s := f.record.Story; s.Open() && f.coin(0.3) {
		check.Story, check.Attempt = s.ID, max(1, s.Attempt+f.IntN(3)-1)
	}
	now := time.Now()
	check.NotBefore = pick(f.Rand, time.Time{}, time.Time{}, now.Add(-time.Hour), now.Add(time.Second), now.Add(time.Hour))
	if f.coin(0.15) {
		return check, false
	}
	check.Carried = f.carried(check)
	subject := fmt.Sprintf("%s.%s.%s/%s/%d", check.Cloud, check.Region, check.HAVIP, check.Story, check.Attempt)
	check.Seal = pick(f.Rand, "", "AAAA", sealOf(forgedKey).Of(subject, check.Carried))
	return check, false
}

// story is the id of a story, of this HAVIP or another, or of none.
func (f forger) story() string {
	none := fmt.Sprintf("%s%016x", f.policy.Key().Shelf(), f.Uint64())
	return pick(f.Rand, none, none, pick(f.Rand, append(slices.Sorted(maps.Keys(f.tape.stories)), none)...))
}

// carried is a record with all that a forger could wish for.
func (f forger) carried(c events.StatusCheck) []byte {
	if f.coin(0.1) {
		return []byte(pick(f.Rand, "null", "1", "[]", `{"story":null}`, `{"story":{"id":7}}`))
	}
	now := time.Now()
	when := func() time.Time {
		return pick(f.Rand, now, now, now.Add(-time.Minute), now.Add(-1000*time.Hour), now.Add(time.Hour), now.Add(1000*time.Hour), time.Time{})
	}
	who := func() string { return pick(f.Rand, f.policy.Members[f.IntN(machines)].ID, "i-nobody", "") }
	s := havip.Story{
		Origin: havip.Origin{ID: c.Story, HAVIP: f.policy.Key(), Event: havip.EventRef{Source: urn, ID: f.event(), Type: events.TypeRecover}, Ask: havip.Ask{
			Kind:     pick(f.Rand, havip.AskRecover, havip.AskRecover, havip.AskFailed, havip.AskFailed, havip.AskStarted, havip.AskSweep, "root"),
			Instance: who(), Release: who(), Force: f.coin(0.8), AllowGap: f.coin(0.8), Actor: "root", Reason: worst(pick(f.Rand, 10, 10, 1000)),
		}, StartedAt: when(), Deadline: when()},
		Progress: havip.Progress{Attempt: c.Attempt, NextAt: when(), SettledAt: when(), Acted: f.coin(0.3), Joined: f.coin(0.3)},
		Reading:  havip.Reading{Instance: who(), Unreleased: f.coin(0.2)},
		Ending:   havip.Ending{Rule: worst(pick(f.Rand, 100, 100, 100, 5000)), Outcome: pick[havip.Outcome](f.Rand, "", "", "", havip.Attached)},
	}
	for n := range pick(f.Rand, 0, 0, 0, 0, 0, 0, 0, 0, 0, 150) {
		s.Steps = append(s.Steps, havip.Taken{At: when(), Step: havip.Attach, Instance: who(), ClientToken: fmt.Sprint(n), Result: "refused"})
	}
	r := havip.Record{Story: &s, N: f.IntN(5), Marks: map[string]havip.Mark{}}
	for _, m := range f.policy.Members {
		if f.coin(0.5) {
			r.Marks[m.ID] = havip.Mark{Failed: f.coin(0.7), At: when(), Since: when()}
		}
		if f.coin(0.2) {
			s.Barred, s.Skip = append(s.Barred, m.ID), append(s.Skip, m.ID)
		}
	}
	if f.coin(0.4) {
		r.Pending = &havip.PendingCall{Verb: pick(f.Rand, havip.Attach, havip.Detach, "Wish"), Instance: who(), Force: f.coin(0.5), Token: forgedToken, SentAt: when()}
	}
	if f.coin(0.3) {
		r.Failover = &havip.Failover{At: when(), Story: c.Story}
	}
	if f.coin(0.2) {
		r.Frozen = &havip.Freeze{Until: now.Add(1000 * time.Hour), Actor: "root", Reason: "forged"}
		r.Closed = &havip.Story{Origin: havip.Origin{ID: f.story(), HAVIP: f.policy.Key()}, Ending: havip.Ending{Outcome: havip.TimedOut}}
		r.Outbox = []havip.Message{{ID: "forged", Ended: r.Closed.ID}}
	}
	text, err := events.Encode(r)
	if err != nil {
		panic(err) // the simulation's own records encode
	}
	return text
}

// event is the id of an event, of a real one at times.
func (f forger) event() string {
	if len(f.plan.news) > 0 && f.coin(0.3) {
		return f.plan.news[f.IntN(len(f.plan.news))].name()
	}
	return "forged"
}

// worst is text that JSON writes with two bytes for one.
func worst(n int) string { return strings.Repeat(`"`, n) }
