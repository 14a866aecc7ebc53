package functions_test

import (
	"slices"
	"strings"
	"time"

	"havip-functions/events"
	"havip-functions/shared/havip"
)

// tape is what was seen from outside: the ledger's writes in their order, what
// looks read and sent, what was published and acknowledged.
type tape struct {
	plan      *plan
	shelves   map[string]*shelf // by key
	stories   map[string]*tale
	letters   map[string]*letter
	news      map[string]*news        // by the key of its event
	buried    map[string]bool         // by bytes
	events    map[string]havip.Record // as written last, by key
	publishes int
	sealed    []events.StatusCheck   // our own, the first ones
	ours      map[string]string      // by their bytes
	archive   map[string]havip.Story // by id
	strays    map[string]bool        // by the key of the event
	heard     map[int64][]*news      // by when it arrived, by a host's own word
	truths    map[string]truths      // of the looks, by story
	encore    bool
}

// shelf is one HAVIP's.
type shelf struct {
	policy   havip.Policy // with everybody as its members
	adopted  string       // the story that a forged follow-up brought
	writes   int
	record   havip.Record // as written last
	text     []byte       // its bytes
	book     book
	seen     map[string]string        // event → story
	ended    map[string]havip.Outcome // of events that ended at once
	lease    *lease                   // the last one
	meddled  time.Time                // a third party touched the HAVIP
	failover map[string]failover
	served   time.Time // by a host's word, when a look that was saved read that a holder serves
	lost     bool      // havip.serving.lost was told, and no restored since
}

// failover is the first mutating call of a story that fails over.
type failover struct {
	at      time.Time
	account string
}

// lease is a mutating call, written down before it is sent.
type lease struct {
	havip.PendingCall
	by       *invocation
	story    string
	ask      havip.Ask
	writes   int             // the ledger's writes before it
	failed   map[string]bool // members, as far as was known
	n        int             // effects confirmed before it
	sent     []*sent
	no       bool // a definite no came
	yes      int
	shown    bool           // somebody read its effect
	moot     bool           // or what would have been its effect, had it been sent
	roster   []havip.Policy // of its HAVIP, while it was written
	previous *lease
}

func (l *lease) same(other *lease) bool {
	return l.Verb == other.Verb && l.Instance == other.Instance && l.Force == other.Force
}

// tale is what was seen of a story.
type tale struct {
	havip.Story
	outcome  havip.Outcome // recorded
	told     int           // how often its outcome was published
	disowned bool          // its event came again to a roster by which it concerns nobody
	checked  int           // the attempt of its newest follow-up
	endedAt  time.Time
}

// letter is one of an outbox.
type letter struct {
	by        *message
	news      []string // that was admitted with it: who writes may write for others
	published bool
}

// of tells whether the message must not be acknowledged before the letter is out.
func (l *letter) of(m *message) bool {
	if len(l.news) == 0 {
		return l.by == m
	}
	return slices.ContainsFunc(m.news, func(n *news) bool { return slices.Contains(l.news, n.key()) })
}

func newTape(p *plan) tape {
	t := tape{plan: p, shelves: map[string]*shelf{}, stories: map[string]*tale{}, letters: map[string]*letter{}, news: map[string]*news{}, buried: map[string]bool{}, events: map[string]havip.Record{}, heard: map[int64][]*news{}, strays: map[string]bool{}, ours: map[string]string{}, archive: map[string]havip.Story{}, truths: map[string]truths{}}
	for _, policy := range p.policies {
		policy = everybody(policy)
		t.shelves[policy.Key().String()] = &shelf{policy: policy, book: book{policy: policy, marks: map[string]havip.Mark{}, forgotten: map[string]havip.Mark{}}, seen: map[string]string{}, ended: map[string]havip.Outcome{}, failover: map[string]failover{}}
	}
	for i := range p.news {
		n := &p.news[i]
		t.news[n.key()] = n
	}
	return t
}

// onOurs keeps some of our own follow-ups, for who wants to send them again.
func (t *tape) onOurs(check events.StatusCheck, payload []byte) {
	const enough = 40
	t.ours[string(payload)] = check.Story
	if check.Story != "" && len(t.sealed) < enough {
		t.sealed = append(t.sealed, check)
	}
}

func (t *tape) shelf(p havip.Policy) *shelf { return t.shelves[p.Key().String()] }

func (r *run) meddled(p havip.Policy) {
	r.locked(func() { r.tape.shelf(p).meddled = time.Now() })
}

// shelfOf finds the HAVIP to which the key of an event belongs, nil for a stray's.
func (t *tape) shelfOf(key string) *shelf {
	for _, s := range t.shelves {
		if havip.IsEventKey(key) && strings.HasPrefix(strings.TrimPrefix(key, "event."), s.policy.Key().Shelf()) {
			return s
		}
	}
	return nil
}
