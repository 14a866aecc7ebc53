package havip

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Record is what the ledger remembers of one HAVIP between two looks.
type Record struct {
	Seen     map[string]Seen `json:"seen,omitempty"`  // by Event.Key
	Marks    map[string]Mark `json:"marks,omitempty"` // by member id
	Failover *Failover       `json:"failover,omitempty"`
	N        int             `json:"n"` // effects confirmed
	Pending  *PendingCall    `json:"pending,omitempty"`
	Outbox   []Letter        `json:"outbox,omitempty"`
	Story    *Story          `json:"story,omitempty"`   // the open one, or the last
	Settled  string          `json:"settled,omitempty"` // what the last story that ended for good left behind
	Frozen   *Freeze         `json:"frozen,omitempty"`
	Drift    []string        `json:"drift,omitempty"`   // holders off the roster, as the sweep saw them
	Moving   time.Time       `json:"moving,omitzero"`   // since when the sweep has seen it move, with no story open
	Braking  *Braking        `json:"braking,omitempty"` // of an account and region, under a key of its own
}

// Seen remembers an event and the story that it began or joined.
type Seen struct {
	Story string    `json:"story"`
	At    time.Time `json:"at"`
}

// Mark is what the newest word about an instance says of its health.
type Mark struct {
	Failed bool      `json:"failed"`
	At     time.Time `json:"at"`    // the time of that word: older ones are stale
	Since  time.Time `json:"since"` // when it was heard: it expires
}

// Failover is the first mutating call of the last health.failed or sweep story.
type Failover struct {
	At    time.Time `json:"at"`
	Story string    `json:"story"`
}

// PendingCall is a mutating call whose effect has not been read yet.
type PendingCall struct {
	Verb     Step      `json:"verb"` // Attach or Detach
	Instance string    `json:"instance"`
	Force    bool      `json:"force,omitempty"`
	Token    string    `json:"token"`
	SentAt   time.Time `json:"sentAt"`
	Accepted int       `json:"accepted,omitempty"` // how often the cloud said yes to it
}

// Letter waits in the outbox until flow has published it. It is one of the two:
// the next look, or how a story ended.
type Letter struct {
	ID    string `json:"id"`
	Check *Check `json:"check,omitempty"`
	Ended *Story `json:"ended,omitempty"`
}

// Check is a follow-up: the next look of a story.
type Check struct {
	HAVIP   Key       `json:"havip"`
	Story   string    `json:"story"`
	Attempt int       `json:"attempt"`
	At      time.Time `json:"at"` // not before
	Carried *Record   `json:"-"`  // the story itself, for a host that has no ledger
}

// Revision is a record's in the ledger; 0 stands for none.
type Revision uint64

// Ledger keeps one record a HAVIP. A record that nobody saved for 31 days may be
// forgotten. Any other failure than a conflict means that nothing is known of
// the write: the event is to be redelivered.
type Ledger interface {
	// Load returns the record, or the zero Record and revision 0 for none.
	Load(ctx context.Context, key string) (Record, Revision, error)

	// Save writes the record where its revision is still rev, 0 for none yet,
	// and returns the new revision; otherwise it is ErrConflict.
	Save(ctx context.Context, key string, r Record, rev Revision) (Revision, error)
}

// What a record remembers of events: EventBridge retries for a day, and what is
// forgotten beyond the bound is older than the newest word about its instance.
const (
	seenFor = 48 * time.Hour
	maxSeen = 2000
)

func (r *Record) remember(e Event, story string) {
	if r.Seen == nil {
		r.Seen = map[string]Seen{}
	}
	maps.DeleteFunc(r.Seen, func(_ string, s Seen) bool { return e.Arrived.Sub(s.At) > seenFor })
	if len(r.Seen) >= maxSeen {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(r.Seen)), func(a, b string) int {
			return r.Seen[a].At.Compare(r.Seen[b].At)
		})
		delete(r.Seen, oldest)
	}
	r.Seen[e.Key()] = Seen{Story: story, At: e.Arrived}
}

// failed returns the members with a live mark of failure.
func (r *Record) failed(ttl time.Duration, now time.Time) map[string]bool {
	failed := map[string]bool{}
	for id, m := range r.Marks {
		if m.Failed && now.Before(m.Since.Add(ttl)) {
			failed[id] = true
		}
	}
	return failed
}

func (r *Record) mark(id string, m Mark) {
	if r.Marks == nil {
		r.Marks = map[string]Mark{}
	}
	r.Marks[id] = m
}

// next leaves the story's next look in the outbox.
func (r *Record) next(at time.Time) {
	s := r.Story
	s.NextAt = at
	r.dropChecks()
	r.Outbox = append(r.Outbox, Letter{
		ID:    checkID(s.ID, s.Attempt),
		Check: &Check{HAVIP: s.HAVIP, Story: s.ID, Attempt: s.Attempt, At: at},
	})
}

// end closes the open story and leaves its outcome in the outbox. A recover that
// facts had joined is followed by one more look.
func (r *Record) end(outcome Outcome, now time.Time) {
	s := *r.Story
	s.Outcome, s.EndedAt = outcome, now
	r.Story = &s
	r.dropChecks()
	r.Outbox = append(r.Outbox, endedLetter(s))
	if s.Joined && outcome != Superseded {
		again := s.again(now)
		r.Story = &again
		r.next(now)
	}
}

func (r *Record) dropChecks() {
	r.Outbox = slices.DeleteFunc(slices.Clone(r.Outbox), func(l Letter) bool { return l.Check != nil })
}

func endedLetter(s Story) Letter { return Letter{ID: hash(s.ID, "outcome"), Ended: &s} }

func againID(story string) string { return hash(story, "again") }

func checkID(story string, attempt int) string { return hash(story, "check", itoa(attempt)) }

// again is the story of the look that facts which joined a recover still need.
func (s Story) again(now time.Time) Story {
	return Story{
		ID: againID(s.ID), Event: s.Event, Trace: s.Trace, HAVIP: s.HAVIP, Name: s.Name,
		Ask: Ask{Kind: AskSweep, Reason: "facts that arrived during a recover"}, Attempt: 1,
		StartedAt: now, Deadline: now.Add(s.Deadline.Sub(s.StartedAt)), Roster: s.Roster,
	}
}

// Carry is the record without what only a ledger needs: a follow-up takes it along.
func (r Record) Carry() *Record {
	r.Seen, r.Outbox, r.Settled = nil, nil, ""
	return &r
}
