package havip

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// Kind is what an event asks for.
type Kind string

// The kinds of ask.
const (
	AskStarted  Kind = "started"  // an instance runs
	AskFailed   Kind = "failed"   // an instance failed
	AskRestored Kind = "restored" // an instance is healthy again
	AskRecover  Kind = "recover"  // a person wants it
	AskSweep    Kind = "sweep"    // the sweep found the hold not met
)

// Ask is what an event asks for. What a recover names stands for its whole story.
type Ask struct {
	Kind     Kind   `json:"kind"`
	Instance string `json:"instance,omitempty"`
	Release  string `json:"release,omitempty"`
	Force    bool   `json:"force,omitempty"`
	AllowGap bool   `json:"allowGap,omitempty"`
	Actor    string `json:"actor,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// Trace is a W3C Trace Context, which every event that follows carries on.
type Trace struct {
	Parent string `json:"parent"`
	State  string `json:"state,omitempty"`
}

// Outcome is how a story ended; the empty one says that it is open.
type Outcome string

// The outcomes.
const (
	Attached   Outcome = "attached"
	Unchanged  Outcome = "unchanged"
	Ignored    Outcome = "ignored"
	Superseded Outcome = "superseded"
	Refused    Outcome = "refused"
	TimedOut   Outcome = "timedout"

	// What a sweep saw of who announces the address: a story of its own, which takes no
	// step.
	ServingLost     Outcome = "serving.lost"
	ServingRestored Outcome = "serving.restored"
)

// EventRef names the event that a story began with.
type EventRef struct {
	Source string `json:"source"`
	ID     string `json:"id"`
	Type   string `json:"type"`
}

// Story is what one accepted event set going, from its first look to its one
// outcome.
type Story struct {
	Origin
	Progress
	Reading
	Ending
	Witness
}

// Origin is how a story began.
type Origin struct {
	ID        string    `json:"id"`
	Event     EventRef  `json:"event"`
	Trace     Trace     `json:"trace,omitzero"` // of the event
	HAVIP     Key       `json:"havip"`
	Name      string    `json:"name"`
	Ask       Ask       `json:"ask"`
	StartedAt time.Time `json:"startedAt"`
	Deadline  time.Time `json:"deadline"`
}

// Progress is how far a story has come: what the next look goes by.
type Progress struct {
	Attempt   int       `json:"attempt"`            // of the next look
	NextAt    time.Time `json:"nextAt"`             // not before which
	Since     time.Time `json:"since,omitzero"`     // when the cloud had its last word: an effect, or a no
	Acted     bool      `json:"acted,omitempty"`    // an effect was confirmed under it
	Joined    bool      `json:"joined,omitempty"`   // facts came while a recover was open
	Skip      []string  `json:"skip,omitempty"`     // busy candidates, tried again when nobody else is left
	Barred    []string  `json:"barred,omitempty"`   // candidates that the cloud refused
	SettledAt time.Time `json:"settledAt,omitzero"` // when the want was first read as met
}

// Reading is what was read last, and what was done so far.
type Reading struct {
	Want    Want     `json:"want"`
	Status  Status   `json:"status"`
	Holders []string `json:"holders"`
	Announcement
	Instance   string   `json:"instance"` // attached last, or the holder that stays
	Unreleased bool     `json:"unreleased,omitempty"`
	Calls      int      `json:"calls"` // mutating ones
	CloudMs    int64    `json:"cloudMs"`
	Steps      []Taken  `json:"steps"`
	Looks      []Glance `json:"looks,omitempty"`
	Roster     string   `json:"roster"` // by which it was judged, its hash
}

// Ending is how a story ended, and why. An open one says why it waits.
type Ending struct {
	Outcome   Outcome   `json:"outcome,omitempty"`
	Successor string    `json:"successor,omitempty"` // the story that superseded it
	EndedAt   time.Time `json:"endedAt,omitzero"`
	Rule      string    `json:"rule,omitempty"`
	Code      string    `json:"code,omitempty"`
	RequestID string    `json:"requestId,omitempty"`
	Advice    string    `json:"advice,omitempty"`
}

// Taken is one mutating call of a story and how it went.
type Taken struct {
	At          time.Time `json:"at"`
	Step        Step      `json:"step"`
	Instance    string    `json:"instance"`
	ClientToken string    `json:"clientToken"`
	RequestID   string    `json:"requestId"`
	Code        string    `json:"code"`
	Result      string    `json:"result"` // accepted, busy, refused or unknown
	Ms          int64     `json:"ms"`
}

// Glance is what a look read and wanted, and why it did nothing. A story keeps those
// that told something new: with its calls they are what happened, in the true times.
type Glance struct {
	At      time.Time `json:"at"`
	Attempt int       `json:"attempt"`
	Status  Status    `json:"status,omitempty"` // empty: the HAVIP could not be read
	Holders []string  `json:"holders,omitempty"`
	Announcement
	Want       Want   `json:"want,omitzero"`
	Why        string `json:"why,omitempty"`        // it waits
	Ms         int64  `json:"ms,omitempty"`         // that the cloud took to be read
	Invocation string `json:"invocation,omitempty"` // of a function on a cloud, which took the look
}

func (g Glance) same(other Glance) bool {
	return g.Status == other.Status && slices.Equal(g.Holders, other.Holders) && g.Announcement == other.Announcement &&
		g.Want == other.Want && g.Why == other.Why
}

// Open tells that the story has not ended.
func (s *Story) Open() bool { return s != nil && s.Outcome == "" }

func (s *Story) blame(err *Error) {
	s.Rule, s.Code, s.RequestID, s.Advice = err.Rule, cut(err.Code, maxCode), cut(err.RequestID, maxCode), err.Advice
	if s.Rule == "" {
		s.Rule = oneLine(err.Message)
	}
}

// reason is why the last call or reading failed, with the cloud's code.
func (s *Story) reason() string {
	if s.Code == "" {
		return s.Rule
	}
	return s.Rule + " (" + s.Code + ")"
}

// maxCode bounds what we believe of a cloud's codes and request ids, in bytes.
const maxCode = 100

func (s *Story) explain(rule, advice string) {
	s.Rule, s.Advice = rule, advice
}

// maxLooks bounds what a record and a follow-up carry of what a story's looks read, and
// maxWhy why each waited, in bytes.
const (
	maxLooks = 12
	maxWhy   = 200
)

// saw keeps what a look read, where it is news.
func (s *Story) saw(g Glance) {
	g.Why, g.Invocation = cut(g.Why, maxWhy), cut(g.Invocation, maxCode)
	if n := len(s.Looks); n == 0 || !s.Looks[n-1].same(g) {
		s.Looks = ends(append(slices.Clip(s.Looks), g), maxLooks)
	}
}

// Waits is why an open story did nothing at its last look; "" where it did something,
// or where the cloud is at work.
func (s *Story) Waits() string {
	if !s.Open() || len(s.Looks) == 0 {
		return ""
	}
	return s.Looks[len(s.Looks)-1].Why
}

// maxSteps bounds what a record and a follow-up carry of a story's calls.
const maxSteps = 24

func (s *Story) take(t Taken) {
	s.Calls++
	s.Steps = append(s.Steps, t)
	s.Steps = ends(s.Steps, maxSteps)
}

// hash joins its parts to one short id. 96 bits leave no room for chance.
func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:12])
}

// Shelf is what the ids of all stories of a HAVIP begin with, by which a ledger
// finds them.
func (k Key) Shelf() string { return hash(k.String())[:shelfLen] }

const shelfLen = 8

// storyOf is the id of the story that an event, by its [Event.Key], begins at a
// HAVIP.
func storyOf(k Key, event string) string { return storyAt(k.String(), event) }

// storyAt is storyOf for a HAVIP by the key of its record.
func storyAt(record, event string) string {
	return hash(record)[:shelfLen] + hash(event, record)[shelfLen:]
}

func againID(story string) string { return story[:shelfLen] + hash(story, "again")[shelfLen:] }

func checkID(story string, attempt int) string { return hash(story, "check", itoa(attempt)) }

// IsStoryID tells whether a text has the form of our stories' ids.
func IsStoryID(id string) bool {
	return len(id) == 24 && strings.Trim(id, "0123456789abcdef") == ""
}

// again is the story of the look that facts which joined a recover still need.
func (s Story) again(now time.Time) Story {
	next := Story{Origin: s.Origin, Progress: Progress{Attempt: 1}, Reading: Reading{Roster: s.Roster}}
	next.ID, next.Ask = againID(s.ID), Ask{Kind: AskSweep, Reason: "facts that arrived during a recover"}
	next.StartedAt, next.Deadline = now, now.Add(s.Deadline.Sub(s.StartedAt))
	return next
}
