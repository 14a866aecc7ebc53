package havip

import (
	"slices"
	"time"
)

// Record is what the ledger remembers of one HAVIP between two looks, or, under
// its [EventKey], of one event.
type Record struct {
	Seen     map[string]Seen `json:"seen,omitempty"`  // the newest events, by Event.Key; older ones have keys of their own
	Marks    map[string]Mark `json:"marks,omitempty"` // by member id
	Failover *Failover       `json:"failover,omitempty"`
	N        int             `json:"n,omitempty"` // effects confirmed
	Pending  *PendingCall    `json:"pending,omitempty"`
	Outbox   []Message       `json:"outbox,omitempty"`
	Story    *Story          `json:"story,omitempty"`   // the open one, or the last
	Closed   *Story          `json:"closed,omitempty"`  // the one before, until its outcome is told
	Watched  *Story          `json:"watched,omitempty"` // what the sweep saw of its announcer, until it is told
	Settled  string          `json:"settled,omitempty"` // what the last story that ended for good left behind
	Frozen   *Freeze         `json:"frozen,omitempty"`
	Drift    []string        `json:"drift,omitempty"`    // holders off the roster, as the sweep saw them
	Served   time.Time       `json:"served,omitzero"`    // when a look read last that a holder announces the address
	Outage   *Outage         `json:"outage,omitempty"`   // of the address, as the sweep saw it
	Moving   time.Time       `json:"moving,omitzero"`    // since when the sweep has seen it move, with no story open
	Silenced int             `json:"silenced,omitempty"` // outcomes that nobody took for so long that they were dropped

	fresh []string // events that it came to know since it was read, by Event.Key
	ended []string // stories that ended since then
}

// Seen remembers an event and the story that it began or joined.
type Seen struct {
	Story   string    `json:"story"`
	At      time.Time `json:"at"`
	Outcome Outcome   `json:"outcome,omitempty"` // of one that ended at once
	Rule    string    `json:"rule,omitempty"`
}

// maxReason is how many bytes a record keeps of why an event ended at once.
const maxReason = 120

// Mark is what the newest word about an instance says of its health.
type Mark struct {
	Failed bool      `json:"failed"`
	At     time.Time `json:"at"`             // the time of that word: older ones are stale
	Since  time.Time `json:"since"`          // when it was heard: it expires
	Down   bool      `json:"down,omitempty"` // nobody's word: the cloud says that it is down
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

	AnsweredAt time.Time     `json:"answeredAt,omitzero"` // or given up
	Unseen     time.Duration `json:"unseen,omitempty"`    // so long after, its effect did not show
}

// Message waits in the outbox until flow has published it. It is one of the two:
// the next look, or how a story ended.
type Message struct {
	ID    string `json:"id"`
	Check *Check `json:"check,omitempty"`
	Ended string `json:"ended,omitempty"` // the story's id
}

// Check is a follow-up: the next look of a story.
type Check struct {
	HAVIP   Key       `json:"havip"`
	Story   string    `json:"story"`
	Attempt int       `json:"attempt"`
	At      time.Time `json:"at"` // not before

	// Carried reads what it brings along, for a ledger that is lost, or none: only
	// there it is read. nil brings nothing.
	Carried func() (Carried, error) `json:"-"`
}

// Carried is what a follow-up brings along.
type Carried struct {
	Record
	Ours bool // we wrote it
}

func (c Check) carried() (Carried, error) {
	if c.Carried == nil {
		return Carried{}, nil
	}
	return c.Carried()
}

// Ended finds the story of a message in the record. Where it is no longer there it
// has been archived.
func (r Record) Ended(l Message) (Story, bool) {
	for _, s := range r.Stories() {
		if s.ID == l.Ended && !s.Open() {
			return s, true
		}
	}
	return Story{}, false
}

// Stories are those that the record has: the open one or the last, and what waits to be
// told.
func (r Record) Stories() []Story {
	var all []Story
	for _, s := range []*Story{r.Story, r.Closed, r.Watched} {
		if s != nil {
			all = append(all, *s)
		}
	}
	return all
}

// failed returns the policy's members with a live mark of failure.
func (r *Record) failed(p Policy, now time.Time) map[string]bool {
	failed := map[string]bool{}
	for id, m := range r.Marks {
		if _, member := p.Member(id); member && m.Failed && now.Before(m.Since.Add(p.MarkTTL)) {
			failed[id] = true
		}
	}
	return failed
}

// mark keeps the newest word about a member, and forgets who left the roster.
func (r *Record) mark(p Policy, id string, m Mark) {
	marks := map[string]Mark{id: m}
	for other, known := range r.Marks {
		if _, member := p.Member(other); member && other != id {
			marks[other] = known
		}
	}
	r.Marks = marks
}

// next leaves the story's next look in the outbox.
func (r *Record) next(at time.Time) {
	s := r.Story
	s.NextAt = at
	r.dropChecks()
	r.Outbox = append(r.Outbox, Message{
		ID:    checkID(s.ID, s.Attempt),
		Check: &Check{HAVIP: s.HAVIP, Story: s.ID, Attempt: s.Attempt, At: at},
	})
}

// close ends the open story and leaves its outcome in the outbox. A recover that
// facts had joined is followed by one more look.
func (r *Record) close(outcome Outcome, now time.Time) {
	s := *r.Story
	s.Outcome, s.EndedAt = outcome, now
	r.Story, r.ended = &s, append(r.ended, s.ID)
	r.dropChecks()
	r.tell(s)
	if s.Joined && outcome != Superseded {
		again := s.again(now)
		r.replace(&again)
		r.next(now)
	}
}

// maxUntold is how many outcomes of a HAVIP may wait for a bus that takes none.
// The oldest are dropped beyond it, since no HAVIP may stand still for them.
const maxUntold = 24

// tell leaves the outcome of an ended story in the outbox.
func (r *Record) tell(s Story) {
	r.Outbox = append(r.Outbox, Message{ID: hash(s.ID, "outcome"), Ended: s.ID})
	for len(r.Outbox) > maxUntold {
		r.Outbox = slices.Delete(r.Outbox, 0, 1)
		r.Silenced++
	}
}

// replace makes room for another story. The one before is kept until its outcome
// is told; [Keeper.makeRoom] has seen to it that there is none before that.
func (r *Record) replace(s *Story) {
	if old := r.Story; old != nil && r.untold(old.ID) {
		r.Closed = old
	}
	r.Story = s
}

func (r *Record) untold(story string) bool {
	return slices.ContainsFunc(r.Outbox, func(l Message) bool { return l.Ended == story })
}

func (r *Record) dropChecks() {
	r.Outbox = slices.DeleteFunc(slices.Clone(r.Outbox), func(l Message) bool { return l.Check != nil })
}

// remove takes published messages out of the outbox.
func (r *Record) remove(published []string) (changed bool) {
	before := len(r.Outbox)
	r.Outbox = slices.DeleteFunc(slices.Clone(r.Outbox), func(l Message) bool { return slices.Contains(published, l.ID) })
	if r.Closed != nil && !r.untold(r.Closed.ID) {
		r.Closed = nil
	}
	if r.Watched != nil && !r.untold(r.Watched.ID) {
		r.Watched = nil
	}
	return len(r.Outbox) < before
}

// Carry is the record without what only a ledger needs: a follow-up takes it along.
func (r Record) Carry() ([]byte, error) {
	r.Seen, r.Outbox, r.Closed, r.Watched, r.Settled, r.Drift, r.Outage = nil, nil, nil, nil, "", nil, nil
	r.Served = time.Time{}
	return r.encode()
}
