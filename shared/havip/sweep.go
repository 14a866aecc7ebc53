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
// met, but none that would only repeat the last outcome.
func (k Keeper) Sweep(ctx context.Context, e Event) ([]Left, error) {
	var swept []Left
	var failed []error
	for _, policies := range k.byAccount(e.sweeps) {
		seen, err := k.survey(WithUrgency(ctx, Patient), policies)
		failed = append(failed, err)
		k.witnesses(ctx, policies, seen)
		for _, p := range policies {
			left, err := k.sweep(ctx, p, e, seen)
			failed = append(failed, err)
			if err == nil && left.Ledger != "" {
				swept = append(swept, left)
			}
		}
	}
	return swept, errors.Join(failed...)
}

// sweeps tells whether a sweep is to look after a HAVIP: what it does not name it
// leaves open.
func (e Event) sweeps(p Policy) bool {
	return (e.Cloud == "" || e.Cloud == p.Cloud) && (e.Region == "" || e.Region == p.Region) && named(e.HAVIP)(p)
}

// named picks a HAVIP by its id or name, every one for the empty pick.
func named(pick string) func(Policy) bool {
	return func(p Policy) bool { return pick == "" || pick == p.ID || pick == p.Name }
}

func everything(Policy) bool { return true }

// byAccount groups the HAVIPs that are picked by what one listing covers. Both
// orders are the roster's.
func (k Keeper) byAccount(pick func(Policy) bool) [][]Policy {
	type account struct{ cloud, name, region string }
	place := map[account]int{}
	var groups [][]Policy
	for _, p := range k.Roster.Policies() {
		if !pick(p) {
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
	everybody, ours := Policy{}, map[string]Policy{}
	for _, p := range policies {
		ours[p.ID] = p
		everybody.Members = append(everybody.Members, p.Members...)
	}
	states, _ := memberStates(ctx, fleet, everybody) // unknown counts as running
	found := map[string]HAVIP{}
	for _, h := range listed {
		p := ours[h.ID]
		h.recognize(p)
		h.States = map[string]InstanceState{}
		for _, m := range p.Members { // of others a look knows nothing either
			if s, known := states[m.ID]; known {
				h.States[m.ID] = s
			}
		}
		found[h.ID] = h
	}
	return found, nil
}

// sweep brings one HAVIP's record up to date. It returns an empty Left where
// nothing is to be done, and leaves to others what they just changed.
func (k Keeper) sweep(ctx context.Context, p Policy, e Event, seen map[string]HAVIP) (Left, error) {
	left := Left{HAVIP: p.Key(), Ledger: p.Key().String()}
	r, rev, err := Load[Record](ctx, k.Ledger, left.Ledger)
	if err != nil {
		return Left{}, err
	}
	if s := r.Story; s.Open() && e.Arrived.After(s.Deadline.Add(overdue)) { // no follow-up of its will come
		left.Story, left.Record, left.Due = s.ID, r, &Check{HAVIP: s.HAVIP, Story: s.ID, Attempt: s.Attempt}
		return left, nil
	}
	have, read := seen[p.ID]
	news := false
	if read {
		if news, err = k.watch(ctx, &r, p, e, have); err != nil {
			return Left{}, err
		}
	}
	opens := read && !r.Story.Open() && r.hold(&Story{}, p, e.Arrived) == "" && r.unmet(k, p, e, have)
	if opens { // unless it did before: no other story may share its id
		_, known, err := k.seen(ctx, r, e, storyOf(p.Key(), e.Key()))
		if err != nil {
			return Left{}, err
		}
		opens = !known
	}
	switch {
	case r.Story.Open() && e.Arrived.After(r.Story.NextAt.Add(overdue)):
		r.remind(e)
	case opens:
		if err := k.shelve(ctx, &r); err != nil {
			return Left{}, err
		}
		left.Story, _ = r.take(begin(p, e), e, true) // no story is open that it could join
		k.due(&left)
		if err := k.makeRoom(ctx, left.Ledger, &r); err != nil {
			return Left{}, err
		}
	case read && r.notice(p, e, have, &left), news:
	case len(r.Outbox) > 0:
		left.Record, left.Rev = r, rev
		return left, nil
	default:
		return Left{}, nil
	}
	rev, err = Save(ctx, k.Ledger, left.Ledger, r, rev)
	if errors.Is(err, ErrConflict) { // perhaps with our own write, unheard: what lies there is flushed
		left = Left{HAVIP: left.HAVIP, Ledger: left.Ledger}
		r, rev, err = Load[Record](ctx, k.Ledger, left.Ledger)
	}
	left.Record, left.Rev = r, rev
	return left, err
}

// remind puts the check of an open story into the outbox again, under a fresh
// id: the bus would swallow the old one.
func (r *Record) remind(e Event) {
	s := r.Story
	r.next(s.NextAt)
	r.Outbox[len(r.Outbox)-1].ID = hash(checkID(s.ID, s.Attempt), e.Key())
}

// markStates marks the holders that the cloud says are down: their event may be lost,
// or on its way. Once the cloud says that one runs again such a mark is lifted, as by
// the event that it started. Either keeps the stamp of the last real word, so that no
// real event becomes stale.
func (r *Record) markStates(p Policy, have HAVIP, now time.Time) {
	failed := r.failed(p, now)
	for _, m := range p.Members {
		mark, state := r.Marks[m.ID], have.States[m.ID]
		switch {
		case have.On(m.ID) && state.Down() && !failed[m.ID]:
			r.mark(p, m.ID, Mark{Failed: true, At: mark.At, Since: now, Down: true})
		case mark.Down && state == Running:
			r.mark(p, m.ID, Mark{At: mark.At, Since: now})
		}
	}
}

// unmet tells whether the HAVIP is not as the roster wants it, in another way
// than when its last story ended. A holder that the cloud says is down counts
// as failed: its event may have been lost.
func (r *Record) unmet(k Keeper, p Policy, e Event, have HAVIP) bool {
	r.markStates(p, have, e.Arrived)
	l := look{keeper: k, policy: p, record: *r, have: have, now: e.Arrived, story: &Story{Origin: Origin{Ask: Ask{Kind: AskSweep}}}}
	l.have.Limit, l.have.Failed = p.Limit, r.failed(p, e.Arrived)
	l.resolve()
	step := Next(Choose(p, l.have, *l.story), l.have)
	if step == Wait { // nobody's story: after so long somebody has to be told
		return !r.Moving.IsZero() && e.Arrived.Sub(r.Moving) > p.Deadline
	}
	return step != Done && r.Settled != settled(p, l.have)
}

// notice writes down what the sweep saw and nobody's story is: holders off the
// roster, and since when the HAVIP moves. It reports whether that is news.
func (r *Record) notice(p Policy, e Event, have HAVIP, left *Left) bool {
	drift := strangers(p, have)
	news := !slices.Equal(drift, r.Drift)
	if news && len(drift) > 0 {
		left.Note = fmt.Sprintf("%s is held by %s, off the roster; it stays, since we detach members alone", p.Name, strings.Join(drift, ", "))
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
	want := Choose(p, have, Story{Origin: Origin{Ask: Ask{Kind: AskSweep}}})
	failed := slices.Sorted(maps.Keys(have.Failed))
	return hash(p.Roster, strings.Join(have.Holders, ","), have.Serving, strings.Join(failed, ","), want.Instance, want.Release)
}

// strangers are holders off the roster. They are told, never detached.
func strangers(p Policy, have HAVIP) []string {
	return slices.DeleteFunc(slices.Clone(have.Holders), func(id string) bool {
		_, member := p.Member(id)
		return member
	})
}
