package ledger

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"havip-functions/shared/havip"
)

// Memory is a ledger that ends with its process. One made for each invocation
// serves a function that has no other: its follow-ups carry the story.
type Memory struct {
	mu      sync.Mutex
	last    havip.Revision
	values  map[string]entry
	stories []havip.Story // in the order in which they were archived first
	dead    map[string]DeadLetter
	strays  []string // keys, the oldest first
}

type entry struct {
	text []byte
	rev  havip.Revision
}

var _ Ledger = (*Memory)(nil)

// NewMemory returns an empty one.
func NewMemory() *Memory {
	return &Memory{values: map[string]entry{}, dead: map[string]DeadLetter{}}
}

// Now implements [Ledger].
func (m *Memory) Now(context.Context) (time.Time, error) { return time.Now(), nil }

// Load implements [havip.Ledger].
func (m *Memory) Load(_ context.Context, key string) ([]byte, havip.Revision, error) {
	if err := checkKey(key); err != nil {
		return nil, 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.values[key]
	return e.text, e.rev, nil
}

// Save implements [havip.Ledger].
func (m *Memory) Save(_ context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values[key].rev != rev {
		return 0, havip.ErrConflict
	}
	if rev == 0 && havip.IsStrayKey(key) {
		m.strays = append(m.strays, key)
		if len(m.strays) > MaxStrays {
			delete(m.values, m.strays[0])
			m.strays = m.strays[1:]
		}
	}
	m.last++
	m.values[key] = entry{bytes.Clone(value), m.last}
	return m.last, nil
}

// Create implements [havip.Ledger].
func (m *Memory) Create(ctx context.Context, values map[string][]byte) error {
	for key, value := range values {
		if _, err := m.Save(ctx, key, value, 0); err != nil && !errors.Is(err, havip.ErrConflict) {
			return err
		}
	}
	return nil
}

// Archive implements [havip.Ledger].
func (m *Memory) Archive(_ context.Context, s havip.Story) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.IndexFunc(m.stories, func(o havip.Story) bool { return o.ID == s.ID }); i >= 0 {
		m.stories[i] = s
		return nil
	}
	m.stories = append(m.stories, s)
	return nil
}

// Story implements [Ledger].
func (m *Memory) Story(_ context.Context, id string) (havip.Story, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.ended("") {
		if s.ID == id {
			return s, nil
		}
	}
	return havip.Story{}, ErrNotFound
}

// Stories implements [Ledger]. A place is how many there are before it.
func (m *Memory) Stories(_ context.Context, key, from string, most int) ([]havip.Story, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.ended(key)
	slices.SortStableFunc(all, func(a, b havip.Story) int {
		return cmp.Or(b.EndedAt.Compare(a.EndedAt), b.StartedAt.Compare(a.StartedAt), cmp.Compare(b.ID, a.ID))
	})
	begin, err := strconv.Atoi(cmp.Or(from, "0"))
	if err != nil || begin < 0 {
		return nil, "", badPlace(from)
	}
	begin = min(begin, len(all))
	end := min(begin+most, len(all))
	if end == len(all) {
		return all[begin:end], "", nil
	}
	return all[begin:end], strconv.Itoa(end), nil
}

// ended are the stories of a HAVIP; the strays are among all of them.
func (m *Memory) ended(key string) []havip.Story {
	var found []havip.Story
	for _, s := range m.stories {
		if key == "" || s.HAVIP.String() == key {
			found = append(found, s)
		}
	}
	if key != "" {
		return found
	}
	for _, k := range m.strays {
		var r havip.Record
		if json.Unmarshal(m.values[k].text, &r) == nil && r.Story != nil { // we wrote it
			found = append(found, *r.Story)
		}
	}
	return found
}

// Bury implements [Ledger].
func (m *Memory) Bury(_ context.Context, d DeadLetter) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.dead[d.ID]; ok {
		d = known.again(d)
	}
	m.dead[d.ID] = d
	full := len(m.dead) > MaxDead
	if full {
		letters := m.letters()
		delete(m.dead, letters[len(letters)-1].ID)
	}
	kept := 0
	for _, l := range m.letters() {
		all := m.dead[l.ID]
		if kept += len(all.Bytes); kept > MaxDeadBytes {
			m.dead[l.ID] = l
		}
	}
	return full, nil
}

// DeadLetter implements [Ledger].
func (m *Memory) DeadLetter(_ context.Context, id string) (DeadLetter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.dead[id]
	if !ok {
		return d, ErrNotFound
	}
	return d, nil
}

// DeadLetters implements [Ledger].
func (m *Memory) DeadLetters(context.Context) ([]DeadLetter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.letters(), nil
}

func (m *Memory) letters() []DeadLetter {
	var letters []DeadLetter
	for _, d := range m.dead {
		d.Bytes = nil
		letters = append(letters, d)
	}
	latestFirst(letters)
	return letters
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

func latestFirst(letters []DeadLetter) {
	slices.SortFunc(letters, func(a, b DeadLetter) int { return b.LastAt.Compare(a.LastAt) })
}
