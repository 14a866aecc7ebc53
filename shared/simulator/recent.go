package simulator

import "time"

// recentSize bounds what is remembered of clients, who may call a million times.
const recentSize = 100_000

// recent remembers values by key for as long as they live, and no longer than
// twice that. Of more than recentSize it forgets the oldest first.
type recent[K comparable, V any] struct {
	lives      time.Duration
	young, old map[K]V
	since      time.Time
}

func (r *recent[K, V]) get(key K) (V, bool) {
	v, ok := r.young[key]
	if !ok {
		v, ok = r.old[key]
	}
	return v, ok
}

func (r *recent[K, V]) put(key K, v V, now time.Time) {
	if now.Sub(r.since) > r.lives || len(r.young) >= recentSize {
		r.young, r.old, r.since = map[K]V{}, r.young, now
	}
	r.young[key] = v
}
