package ledger

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"havip-functions/shared/havip"
)

// Memory is a ledger that ends with its process. One made for each invocation
// serves a function that has no other: its follow-ups carry the story.
type Memory struct {
	mu      sync.Mutex
	last    havip.Revision
	records map[string]entry
	stories map[string][]havip.Story
	dead    map[string]DeadLetter
}

type entry struct {
	bytes []byte // encoded, so that nobody shares a pointer with us
	rev   havip.Revision
}

var _ Ledger = (*Memory)(nil)

// NewMemory returns an empty one.
func NewMemory() *Memory {
	return &Memory{records: map[string]entry{}, stories: map[string][]havip.Story{}, dead: map[string]DeadLetter{}}
}

// Load implements [havip.Ledger].
func (m *Memory) Load(_ context.Context, key string) (havip.Record, havip.Revision, error) {
	m.mu.Lock()
	e := m.records[key]
	m.mu.Unlock()
	var r havip.Record
	if e.rev == 0 {
		return r, 0, nil
	}
	err := json.Unmarshal(e.bytes, &r)
	return r, e.rev, err
}

// Save implements [havip.Ledger].
func (m *Memory) Save(_ context.Context, key string, r havip.Record, rev havip.Revision) (havip.Revision, error) {
	bytes, err := json.Marshal(r)
	if err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records[key].rev != rev {
		return 0, havip.ErrConflict
	}
	m.last++
	m.records[key] = entry{bytes, m.last}
	return m.last, nil
}

// Archive implements [Ledger].
func (m *Memory) Archive(_ context.Context, s havip.Story) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	on := shelf(s)
	same := func(other havip.Story) bool { return other.ID == s.ID }
	m.stories[on] = append(slices.DeleteFunc(m.stories[on], same), s)
	return nil
}

// Archived implements [Ledger].
func (m *Memory) Archived(_ context.Context, key string) ([]havip.Story, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []havip.Story
	for on, stories := range m.stories {
		if key == "" || key == on {
			found = append(found, stories...)
		}
	}
	newestFirst(found)
	return found, nil
}

// Bury implements [Ledger].
func (m *Memory) Bury(_ context.Context, d DeadLetter) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.dead[d.ID]; ok {
		d = known.again(d)
	}
	m.dead[d.ID] = d
	return nil
}

// DeadLetters implements [Ledger].
func (m *Memory) DeadLetters(context.Context) ([]DeadLetter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var letters []DeadLetter
	for _, d := range m.dead {
		letters = append(letters, d)
	}
	latestFirst(letters)
	return letters, nil
}

// Exhume implements [Ledger].
func (m *Memory) Exhume(_ context.Context, id string) (DeadLetter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.dead[id]
	if !ok {
		return d, ErrNotFound
	}
	delete(m.dead, id)
	return d, nil
}

func newestFirst(stories []havip.Story) {
	slices.SortFunc(stories, func(a, b havip.Story) int {
		if c := b.StartedAt.Compare(a.StartedAt); c != 0 {
			return c
		}
		return b.EndedAt.Compare(a.EndedAt)
	})
}

func latestFirst(letters []DeadLetter) {
	slices.SortFunc(letters, func(a, b DeadLetter) int { return b.LastAt.Compare(a.LastAt) })
}
