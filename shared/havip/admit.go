package havip

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Event is what the protocol needs to know of a CloudEvent.
type Event struct {
	EventRef
	Time    time.Time // when it happened, by its sender
	Arrived time.Time
	Expiry  time.Time // zero: never
	Trace   Trace

	Cloud  string
	Region string
	HAVIP  string // an id or a name of the roster; "" for every HAVIP of the instance
	Ask    Ask
	DryRun bool
	Plan   string // what a dry run found
}

// Key names the event among all events: source and id, as CloudEvents asks.
func (e Event) Key() string { return hash(e.Source, e.ID) }

// when is the event's time, clamped so that a wrong clock can't fool us for long.
func (e Event) when() time.Time {
	earliest, latest := e.Arrived.Add(-24*time.Hour), e.Arrived.Add(5*time.Second)
	switch {
	case e.Time.IsZero():
		return e.Arrived
	case e.Time.Before(earliest):
		return earliest
	case e.Time.After(latest):
		return latest
	}
	return e.Time
}

// Admission says what became of an event at one HAVIP.
type Admission struct {
	HAVIP     Key
	Ledger    string // the key of the record that has it
	Story     string
	Opened    bool // the event opened the story, whose first look is due
	Duplicate bool
	Note      string // what a person should hear of
}

// Admit puts the event into the ledger: a story for each HAVIP that it concerns.
// What it returns is durable. It makes no call to a cloud.
func (k Keeper) Admit(ctx context.Context, e Event) ([]Admission, error) {
	concerned := k.concerned(e)
	if len(concerned) == 0 {
		rule, advice := offRoster(e)
		return k.Note(ctx, e, Story{Outcome: Refused, Rule: rule, Advice: advice})
	}
	var admitted []Admission
	for _, p := range concerned {
		a, err := k.admit(ctx, p, e)
		if err != nil {
			return admitted, err
		}
		admitted = append(admitted, a)
	}
	return admitted, nil
}

// concerned returns the HAVIPs that the event names, else those of its instance.
func (k Keeper) concerned(e Event) []Policy {
	var found []Policy
	for _, p := range k.Roster.Policies() {
		if (e.Cloud != "" && p.Cloud != e.Cloud) || (e.Region != "" && p.Region != e.Region) {
			continue
		}
		_, member := p.Member(e.Ask.Instance)
		if e.HAVIP == p.ID || e.HAVIP == p.Name || (e.HAVIP == "" && member) {
			found = append(found, p)
		}
	}
	return found
}

func (k Keeper) admit(ctx context.Context, p Policy, e Event) (Admission, error) {
	key := p.Key().String()
	return k.change(ctx, key, func(r *Record) Admission {
		a := Admission{HAVIP: p.Key(), Ledger: key}
		seen, duplicate := r.Seen[e.Key()]
		if duplicate {
			a.Story, a.Duplicate = seen.Story, true
		} else {
			before := r.Story
			a.Story = r.admit(p, e)
			a.Opened = r.Story != before
		}
		return a
	})
}

// Note remembers an event that concerns no HAVIP of the roster, with its outcome
// and the reason.
func (k Keeper) Note(ctx context.Context, e Event, why Story) ([]Admission, error) {
	what := Policy{Cloud: e.Cloud, Region: e.Region, ID: e.HAVIP}
	key := "stray." + e.Key()
	a, err := k.change(ctx, key, func(r *Record) Admission {
		seen, duplicate := r.Seen[e.Key()]
		if !duplicate {
			s := begin(what, e)
			s.explain(why.Rule, why.Advice)
			r.remember(e, s.ID)
			r.Story = &s
			r.end(why.Outcome, e.Arrived)
			seen.Story = s.ID
		}
		return Admission{HAVIP: what.Key(), Ledger: key, Story: seen.Story, Duplicate: duplicate}
	})
	return []Admission{a}, err
}

func offRoster(e Event) (rule, advice string) {
	if e.HAVIP != "" && e.Ask.Instance == "" {
		return fmt.Sprintf("%s is not on the roster", e.HAVIP), "add the HAVIP to roster.yaml, or check cloud, region and id"
	}
	return fmt.Sprintf("%s is not on the roster", e.Ask.Instance),
		"add the instance to a HAVIP's members in roster.yaml, or check cloud, region and id"
}

// change does one compare-and-set: it reads the record, lets do change it, and
// writes it back, again where somebody else was faster. Of a duplicate nothing
// is written.
func (k Keeper) change(ctx context.Context, key string, do func(*Record) Admission) (Admission, error) {
	for {
		r, rev, err := k.Ledger.Load(ctx, key)
		if err != nil {
			return Admission{}, fmt.Errorf("ledger: read %s: %w", key, err)
		}
		a := do(&r)
		if a.Duplicate {
			return a, nil
		}
		_, err = k.Ledger.Save(ctx, key, r, rev)
		switch {
		case err == nil:
			return a, nil
		case !errors.Is(err, ErrConflict):
			return Admission{}, fmt.Errorf("ledger: write %s: %w", key, err)
		}
	}
}

// admit merges the event into the record and returns its story: a new one, the
// open one that it joins, or one that ends at once and changes nothing.
func (r *Record) admit(p Policy, e Event) string {
	s := begin(p, e)
	if m, ok := p.Member(e.Ask.Instance); ok {
		s.Ask.Instance = m.ID
	}
	if m, ok := p.Member(e.Ask.Release); ok {
		s.Ask.Release = m.ID
	}
	outcome, changed := r.vet(&s, p, e), false
	if outcome == "" {
		changed = r.merge(p, s.Ask, e)
		outcome = r.brake(&s, p, e.Arrived)
	}
	if outcome != "" {
		s.Outcome, s.EndedAt = outcome, e.Arrived
		r.remember(e, s.ID)
		r.Outbox = append(r.Outbox, endedLetter(s))
		return s.ID
	}
	if r.joins(s.Ask.Kind, changed) {
		r.Story.Joined = r.Story.Joined || r.Story.Ask.Kind == AskRecover
		r.remember(e, r.Story.ID)
		return r.Story.ID
	}
	if r.Story.Open() {
		r.Story.explain("superseded by "+e.Type+" "+e.ID, "")
		r.Story.Successor = s.ID
		r.end(Superseded, e.Arrived)
	}
	r.remember(e, s.ID)
	r.Story = &s
	r.next(e.Arrived)
	return s.ID
}

// vet judges an event that may change nothing: "" lets it pass.
func (r *Record) vet(s *Story, p Policy, e Event) Outcome {
	_, member := p.Member(e.Ask.Instance)
	mark, known := r.Marks[s.Ask.Instance]
	fact := e.Ask.Kind == AskStarted || e.Ask.Kind == AskFailed || e.Ask.Kind == AskRestored
	switch {
	case e.Ask.Instance != "" && !member:
		s.explain(notMember(e.Ask.Instance, p))
		return Refused
	case e.DryRun:
		s.explain("dry run", e.Plan)
	case !e.Expiry.IsZero() && !e.Arrived.Before(e.Expiry):
		s.explain("past its expirytime "+e.Expiry.UTC().Format(time.RFC3339), "")
	case fact && known && (mark.At.After(e.when()) ||
		mark.At.Equal(e.when()) && mark.Failed && e.Ask.Kind != AskFailed):
		s.explain("older than the newest event about "+e.Ask.Instance, "")
	default:
		return ""
	}
	return Ignored
}

// merge notes what the event says of its instance, and tells whether that
// changed its health.
func (r *Record) merge(p Policy, ask Ask, e Event) (changed bool) {
	switch ask.Kind {
	case AskStarted, AskRestored, AskFailed:
	default:
		return false
	}
	was := r.failed(p.MarkTTL, e.Arrived)[ask.Instance]
	failed := ask.Kind == AskFailed
	r.mark(ask.Instance, Mark{Failed: failed, At: e.when(), Since: e.Arrived})
	return was != failed
}

// joins tells whether an event of this kind rides on the open story.
func (r *Record) joins(kind Kind, changed bool) bool {
	switch {
	case !r.Story.Open() || kind == AskRecover:
		return false
	case r.Story.Ask.Kind == AskRecover || kind == AskSweep || kind == AskRestored:
		return true
	}
	return !changed
}

func begin(p Policy, e Event) Story {
	return Story{
		ID: hash(e.Source, e.ID, p.Key().String()), Event: e.EventRef, Trace: e.Trace,
		HAVIP: p.Key(), Name: p.Name, Ask: e.Ask, Attempt: 1,
		StartedAt: e.Arrived, Deadline: e.Arrived.Add(p.Deadline), Roster: p.Roster,
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
