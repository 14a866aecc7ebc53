package havip

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// An event is known for two days by a key of its own: EventBridge tries for one.
// The record has the newest few besides, and gives none of them up before it is
// written down there. So no number of events makes us forget one, and no record
// grows.
const (
	seenFor  = 48 * time.Hour
	maxSeen  = 16 // in a record
	keptSeen = 8  // when it is full
	busySeen = 4  // more than that, and each event is written down at once
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
	if s, known := r.Seen[e.Key()]; known {
		return Record{Seen: map[string]Seen{e.Key(): s}}, true, nil
	}
	own, rev, err := Load[Record](ctx, k.Ledger, EventKey(story))
	return own, rev != 0, err
}

// remember notes the event and its story in the record.
func (r *Record) remember(e Event, story string) {
	seen := maps.Clone(r.Seen)
	if seen == nil {
		seen = map[string]Seen{}
	}
	seen[e.Key()] = Seen{Story: story, At: e.Arrived}
	r.Seen = seen
}

// makeRoom lets the record give up what has been written down elsewhere: old
// events, and the story before the last.
func (k Keeper) makeRoom(ctx context.Context, key Key, r *Record, now time.Time) error {
	if r.Closed != nil && r.untold(r.Closed.ID) {
		if err := k.Ledger.Archive(ctx, *r.Closed); err != nil {
			return err
		}
	}
	if len(r.Seen) < maxSeen {
		return nil
	}
	oldest := slices.SortedFunc(maps.Keys(r.Seen), func(a, b string) int {
		return cmp.Or(r.Seen[a].At.Compare(r.Seen[b].At), cmp.Compare(a, b))
	})
	r.Seen = maps.Clone(r.Seen)
	for _, event := range oldest[:len(oldest)-keptSeen] {
		if s := r.Seen[event]; now.Sub(s.At) < seenFor {
			if err := k.write(ctx, key, event, s); err != nil {
				return err
			}
		}
		delete(r.Seen, event)
	}
	return nil
}

// write remembers an event under its own key, unless it is there.
func (k Keeper) write(ctx context.Context, key Key, event string, s Seen) error {
	at := EventKey(storyOf(key, event))
	_, rev, err := k.Ledger.Load(ctx, at)
	if err != nil || rev != 0 {
		return err
	}
	_, err = Save(ctx, k.Ledger, at, Record{Seen: map[string]Seen{event: s}}, 0)
	if errors.Is(err, ErrConflict) { // another has
		return nil
	}
	return err
}
