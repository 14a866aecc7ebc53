package havip

import (
	"time"
)

// judge begins the event's story, and ends it at once where it may change nothing
// but what is known of its instance. It reports whether that changed.
func (r *Record) judge(p Policy, e Event) (s Story, changed bool) {
	s = begin(p, e)
	outcome := r.vet(&s, p, e)
	if outcome == "" {
		changed = r.merge(p, s.Ask, e)
		outcome = r.hold(&s, p, e.Arrived)
	}
	if outcome != "" {
		s.Outcome, s.EndedAt = outcome, e.Arrived
	}
	return s, changed
}

// ended is the story of an event that ended at once.
func ended(p Policy, e Event, was Seen) Story {
	e.Arrived = was.At
	s := begin(p, e)
	s.Outcome, s.EndedAt = was.Outcome, was.At
	s.explain(was.Rule, "")
	return s
}

// take returns the story that the event belongs to from now on: the open one,
// which it joins, or its own.
func (r *Record) take(s Story, e Event, changed bool) (story string, opened bool) {
	if r.joins(s.Ask.Kind, changed) {
		open := *r.Story
		open.Joined = open.Joined || open.Ask.Kind == AskRecover
		r.Story = &open
		r.remember(e, open.ID)
		return open.ID, false
	}
	if r.Story.Open() {
		old := *r.Story
		old.explain("superseded by "+e.Type+" "+e.ID, "")
		old.Successor = s.ID
		r.Story = &old
		r.close(Superseded, e.Arrived)
	}
	r.remember(e, s.ID)
	r.replace(&s)
	r.next(e.Arrived)
	return s.ID, true
}

// vet judges an event that may change nothing: "" lets it pass.
func (r *Record) vet(s *Story, p Policy, e Event) Outcome {
	_, member := p.Member(e.Ask.Instance)
	_, toRelease := p.Member(e.Ask.Release)
	mark, known := r.Marks[s.Ask.Instance]
	fact := e.Ask.Kind == AskStarted || e.Ask.Kind == AskFailed || e.Ask.Kind == AskRestored
	switch {
	case e.Ask.Instance != "" && !member:
		s.explain(notMember(e.Ask.Instance, p))
		return Refused
	case e.Ask.Release != "" && !toRelease:
		s.explain(stranger(e.Ask.Release, p))
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
	was := r.failed(p, e.Arrived)[ask.Instance]
	failed := ask.Kind == AskFailed
	r.mark(p, ask.Instance, Mark{Failed: failed, At: e.when(), Since: e.Arrived})
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
	s := Story{
		Origin: Origin{
			ID: storyOf(p.Key(), e.Key()), Event: e.EventRef, Trace: e.Trace, HAVIP: p.Key(), Name: p.Name, Ask: e.Ask,
			StartedAt: e.Arrived, Deadline: e.Arrived.Add(p.Deadline),
		},
		Progress: Progress{Attempt: 1},
		Reading:  Reading{Roster: p.Roster},
	}
	if m, ok := p.Member(e.Ask.Instance); ok {
		s.Ask.Instance = m.ID
	}
	if m, ok := p.Member(e.Ask.Release); ok {
		s.Ask.Release = m.ID
	}
	return s
}
