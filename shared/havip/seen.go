package havip

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
)

// An event is known for two days by a key of its own: EventBridge tries for one.
// The record has the newest few besides, and gives none of them up before it is
// written down there. So no number of events makes us forget one, and no record
// grows.
const (
	maxSeen  = 12 // in a record
	keptSeen = 6  // when it is full
	maxFresh = 64 // that one write brings, at most
)

// The prefixes of the keys of events: of those that concern a HAVIP of the
// roster, and of all others. A ledger forgets them after two days, and the oldest
// strays when there are too many.
const (
	eventPrefix = "event."
	strayPrefix = "stray."
)

// EventKey is where the ledger remembers the event that a story is named after.
func EventKey(story string) string { return eventPrefix + story }

// StrayKey is where the ledger remembers an event that concerns no HAVIP of the
// roster.
func StrayKey(story string) string { return strayPrefix + story }

// IsEventKey tells whether the key is one of [EventKey].
func IsEventKey(key string) bool { return strings.HasPrefix(key, eventPrefix) }

// IsStrayKey tells whether the key is one of [StrayKey].
func IsStrayKey(key string) bool { return strings.HasPrefix(key, strayPrefix) }

// seen finds the event in the record, else under its own key. The record was read
// before: an event leaves it only after it has been written down.
func (k Keeper) seen(ctx context.Context, r Record, e Event, story string) (Record, bool, error) {
	if here, known := r.knows(e); known {
		return here, true, nil
	}
	own, rev, err := Load[Record](ctx, k.Ledger, EventKey(story))
	return own, rev != 0, err
}

// knows tells what the record itself knows of an event.
func (r Record) knows(e Event) (Record, bool) {
	key := e.Key()
	s, known := r.Seen[key]
	if !known {
		return Record{}, false
	}
	return Record{Seen: map[string]Seen{key: s}}, true
}

// remember notes the event and its story in the record.
func (r *Record) remember(e Event, story string) {
	if r.Seen == nil {
		r.Seen = map[string]Seen{}
	}
	r.Seen[e.Key()] = Seen{Story: story, At: e.Arrived}
	r.fresh = append(r.fresh, e.Key())
}

// rememberEnd notes the event, and how it ended at once.
func (r *Record) rememberEnd(e Event, s Story) (changed bool) {
	r.remember(e, s.ID)
	r.Seen[e.Key()] = Seen{Story: s.ID, At: e.Arrived, Outcome: s.Outcome, Rule: cut(s.Rule, maxReason)}
	return true
}

// errCrowded means that a change has to wait for the next write of its record: what
// this one brings must not be given up again before it is written.
var errCrowded = errors.New("this write brings enough already")

// crowded tells that no further event has room in this write: where a record is small,
// more of them have. Those from before make room for them.
func (r *Record) crowded() bool {
	if len(r.fresh) < maxSeen || len(r.fresh) >= maxFresh {
		return len(r.fresh) >= maxFresh
	}
	written := *r
	written.Seen = map[string]Seen{}
	for _, event := range r.fresh {
		written.Seen[event] = r.Seen[event]
	}
	text, err := plain(written)
	return err != nil || len(text) > maxRecord/2
}

// makeRoom lets a record that is full of events give up the older ones, once they
// are written down under their own keys. One that only this write brings stays: should
// it fail, the event would be known and never have been taken.
func (k Keeper) makeRoom(ctx context.Context, key string, r *Record) error {
	if len(r.Seen) <= maxSeen {
		return nil
	}
	oldest := slices.SortedFunc(maps.Keys(r.Seen), func(a, b string) int {
		return cmp.Or(r.Seen[a].At.Compare(r.Seen[b].At), cmp.Compare(a, b))
	})
	tooMany := len(oldest) - keptSeen
	oldest = slices.DeleteFunc(oldest, func(event string) bool { return slices.Contains(r.fresh, event) })
	old := map[string][]byte{}
	r.Seen = maps.Clone(r.Seen) // others have the record that this one was made of
	for _, event := range oldest[:min(tooMany, len(oldest))] {
		text, err := encode(Record{Seen: map[string]Seen{event: r.Seen[event]}})
		if err != nil {
			return err
		}
		old[EventKey(storyAt(key, event))] = text
		delete(r.Seen, event)
	}
	return k.Ledger.Create(ctx, old)
}

// shelve archives the story before the last, which the next one would push out of
// the record before its outcome was told.
func (k Keeper) shelve(ctx context.Context, r *Record) error {
	switch {
	case r.Closed == nil || !r.untold(r.Closed.ID):
		return nil
	case slices.Contains(r.ended, r.Closed.ID): // it is not the end that was written
		return errCrowded
	}
	return k.Ledger.Archive(ctx, *r.Closed)
}
