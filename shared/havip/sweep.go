package havip

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// overdue is how late a follow-up may be before the sweep sends it again.
const overdue = 30 * time.Second

// Sweep looks after what events did not: it has forgotten outboxes flushed and
// lost follow-ups sent again, and opens a story where the roster's hold is not
// met, but none that would only repeat the last outcome. What it returns is to
// be flushed.
func (k Keeper) Sweep(ctx context.Context, e Event) ([]Admission, error) {
	var swept []Admission
	var failed []error
	for _, policies := range k.byAccount(e.HAVIP) {
		seen, err := k.survey(WithUrgency(ctx, Patient), policies)
		failed = append(failed, err)
		for _, p := range policies {
			a, err := k.sweep(ctx, p, e, seen)
			failed = append(failed, err)
			if err == nil && a.Ledger != "" {
				swept = append(swept, a)
			}
		}
	}
	return swept, errors.Join(append(failed, k.firstLooks(ctx, swept))...)
}

// byAccount groups the HAVIPs that pick names by id or name, all for an empty
// pick, by what one listing covers. Both orders are the roster's.
func (k Keeper) byAccount(pick string) [][]Policy {
	type account struct{ cloud, name, region string }
	place := map[account]int{}
	var groups [][]Policy
	for _, p := range k.Roster.Policies() {
		if pick != "" && pick != p.ID && pick != p.Name {
			continue
		}
		a := account{p.Cloud, p.Account, p.Region}
		i, known := place[a]
		if !known {
			i = len(groups)
			place[a], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], p)
	}
	return groups
}

// survey reads the HAVIPs of one account and region, with the states of their
// members, in as few calls as possible.
func (k Keeper) survey(ctx context.Context, policies []Policy) (map[string]HAVIP, error) {
	ctx, cancel := context.WithTimeout(ctx, k.callTimeout())
	defer cancel()
	where := policies[0].Cloud + " " + policies[0].Region
	_, fleet, err := k.Clouds(ctx, policies[0], "sweep")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	listed, err := fleet.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	everybody := Policy{}
	for _, p := range policies {
		everybody.Members = append(everybody.Members, p.Members...)
	}
	states := memberStates(ctx, fleet, everybody)
	found := map[string]HAVIP{}
	for _, h := range listed {
		h.States = states
		found[h.ID] = h
	}
	return found, nil
}

// sweep brings one HAVIP's record up to date. It returns an empty Admission
// where nothing is to be done, and leaves to others what they just changed.
func (k Keeper) sweep(ctx context.Context, p Policy, e Event, seen map[string]HAVIP) (Admission, error) {
	key := p.Key().String()
	r, rev, err := k.Ledger.Load(ctx, key)
	if err != nil {
		return Admission{}, fmt.Errorf("ledger: read %s: %w", key, err)
	}
	a := Admission{HAVIP: p.Key(), Ledger: key}
	have, read := seen[p.ID]
	_, duplicate := r.Seen[e.Key()] // it opened a story here, which no other may share its id with
	switch {
	case r.Story.Open() && e.Arrived.After(r.Story.NextAt.Add(overdue)):
		r.remind(e)
	case !duplicate && !r.Story.Open() && read && r.brake(&Story{}, p, e.Arrived) == "" && r.unmet(k, p, e, have):
		a.Story, a.Opened = r.admit(p, e), true
	case read && r.notice(p, e, have, &a):
	case len(r.Outbox) > 0:
		return a, nil
	default:
		return Admission{}, nil
	}
	_, err = k.Ledger.Save(ctx, key, r, rev)
	if errors.Is(err, ErrConflict) { // perhaps with our own write, unheard: what lies there is flushed
		return Admission{HAVIP: a.HAVIP, Ledger: key}, nil
	}
	return a, err
}

// remind puts the check of an open story into the outbox again, under a fresh
// id: the bus would swallow the old one.
func (r *Record) remind(e Event) {
	s := r.Story
	r.next(s.NextAt)
	r.Outbox[len(r.Outbox)-1].ID = hash(checkID(s.ID, s.Attempt), e.Key())
}

// unmet tells whether the HAVIP is not as the roster wants it, in another way
// than when its last story ended. A holder that the cloud says is down counts
// as failed: its event may have been lost.
func (r *Record) unmet(k Keeper, p Policy, e Event, have HAVIP) bool {
	for _, m := range p.Members {
		if have.On(m.ID) && have.States[m.ID].Down() && !r.failed(p.MarkTTL, e.Arrived)[m.ID] {
			r.mark(m.ID, Mark{Failed: true, At: r.Marks[m.ID].At, Since: e.Arrived})
		}
	}
	l := look{keeper: k, policy: p, record: *r, have: have, now: e.Arrived, story: &Story{Ask: Ask{Kind: AskSweep}}}
	l.have.Limit, l.have.Failed = p.Limit, r.failed(p.MarkTTL, e.Arrived)
	l.resolve()
	step := Next(Choose(p, l.have, *l.story), l.have)
	if step == Wait { // nobody's story: after so long somebody has to be told
		return !r.Moving.IsZero() && e.Arrived.Sub(r.Moving) > p.Deadline
	}
	return step != Done && r.Settled != settled(p, l.have)
}

// notice writes down what the sweep saw and nobody's story is: holders off the
// roster, and since when the HAVIP moves. It reports whether that is news.
func (r *Record) notice(p Policy, e Event, have HAVIP, a *Admission) bool {
	drift := strangers(p, have)
	news := !slices.Equal(drift, r.Drift)
	if news && len(drift) > 0 {
		a.Note = fmt.Sprintf("%s is held by %s, off the roster; it stays, since we detach members alone", p.Name, strings.Join(drift, ", "))
	}
	r.Drift = drift
	moves := have.Moving() && !r.Story.Open()
	if moves != r.Moving.IsZero() {
		return news
	}
	r.Moving = time.Time{}
	if moves {
		r.Moving = e.Arrived
	}
	return true
}

// settled describes what a sweep would find and want, so that it does not open
// a story that would only repeat the last one's outcome.
func settled(p Policy, have HAVIP) string {
	want := Choose(p, have, Story{Ask: Ask{Kind: AskSweep}})
	failed := slices.Sorted(maps.Keys(have.Failed))
	return strings.Join([]string{
		p.Roster, strings.Join(have.Holders, ","), have.Serving, strings.Join(failed, ","), want.Instance, want.Release,
	}, ";")
}
