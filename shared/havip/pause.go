package havip

import (
	"context"
	"slices"
	"time"
)

// unlearnt is when to look next where nothing is known, both since the last word of the
// cloud: at 0.2 s, then by half seconds, from 2 s on by whole ones, from 6 s on by two, and
// from 30 s on with pauses of a tenth of what has passed. Whoever asks every two seconds
// hears nothing before us, as long as that.
func unlearnt(passed time.Duration) time.Duration {
	const first, slowest = 200 * time.Millisecond, 10 * time.Second
	var step time.Duration
	switch {
	case passed < first:
		return first
	case passed < 1750*time.Millisecond:
		step = 500 * time.Millisecond
	case passed < 5500*time.Millisecond:
		step = time.Second
	case passed < 29*time.Second:
		step = 2 * time.Second
	default:
		return passed + min(passed/10, slowest)
	}
	return (passed + step/4).Truncate(step) + step // a quarter at least
}

// unheard is the pause after a look that could not read the HAVIP, by what has passed.
func unheard(passed time.Duration) time.Duration {
	const first, most = 300 * time.Millisecond, 10 * time.Second
	return min(first+passed/2, most)
}

// retry is the pause after a cloud's no, by how many calls the story has made.
func retry(calls int) time.Duration {
	const first, most = 300 * time.Millisecond, 10 * time.Second
	wait := first
	for range min(calls, 20) {
		wait += wait / 2
	}
	return min(wait, most)
}

// since is when the cloud had its last word of the story.
func (l *look) since() time.Time {
	switch p := l.record.Pending; {
	case p != nil && !p.AnsweredAt.IsZero():
		return p.AnsweredAt
	case l.story.Since.IsZero():
		return l.story.StartedAt
	}
	return l.story.Since
}

func (l *look) passed() time.Duration { return max(0, l.now.Sub(l.since())) }

// pause is the time to the next look.
func (l *look) pause(ctx context.Context) time.Duration {
	passed := l.passed()
	if p := l.record.Pending; p != nil && p.Accepted > 0 {
		return expect(l.keeper.took(ctx, l.policy, p.Verb), passed) - passed
	}
	return unlearnt(passed) - passed
}

// teach keeps what a call took whose effect shows. What was sent twice took who knows
// how long.
func (l *look) teach(p PendingCall) {
	took := Took{After: p.Unseen, By: l.now.Sub(p.AnsweredAt)}
	if p.Accepted == 1 && !p.AnsweredAt.IsZero() && took.By > took.After {
		l.lessons = append(l.lessons, lesson{p.Verb, took})
	}
}

// expect is when to look next, both since the call was answered: where half of what may
// still come should have come by, so that a few looks find it. It is asked for soon
// after when nearly all should have, and then ever later.
func expect(seen []Took, passed time.Duration) time.Duration {
	const doubt, grows = 2500 * time.Millisecond, 4 // a cloud may have become faster
	if len(seen) < minTook {
		return unlearnt(passed)
	}
	cells := spread(seen)
	last := cells[len(cells)-1].to
	if passed >= last {
		return min(passed+max(near(last), (passed-last)/2), unlearnt(passed))
	}
	at := half(cells, passed)
	for _, c := range cells { // where it is certain is not far, or half the way was in vain
		if c.to > at && (c.to <= at+near(at) || c.from < passed && passed < c.to) {
			at = c.to
		}
	}
	return min(max(at, passed+near(passed)), max(doubt, grows*passed))
}

// near is how exact we are: looks are no closer to each other.
func near(d time.Duration) time.Duration { return max(d/20, 50*time.Millisecond) }

// cell is a span of time in which so much of all effects shows.
type cell struct {
	from, to time.Duration
	mass     float64
}

// after is the part of the cell's mass after a time.
func (c cell) after(passed time.Duration) float64 {
	switch {
	case passed >= c.to:
		return 0
	case passed <= c.from:
		return c.mass
	}
	return c.mass * float64(c.to-passed) / float64(c.to-c.from)
}

// half is the time by which half of what comes after the time passed has come.
func half(cells []cell, passed time.Duration) time.Duration {
	var rest float64
	for _, c := range cells {
		rest += c.after(passed)
	}
	rest /= 2
	for _, c := range cells {
		mass := c.after(passed)
		if mass > 0 && mass >= rest {
			from := max(c.from, passed)
			return from + time.Duration(float64(c.to-from)*rest/mass)
		}
		rest -= mass
	}
	return cells[len(cells)-1].to
}

// spread estimates how the times lie of which only bounds are known: the most likely
// masses between the bounds, by self-consistency (B. W. Turnbull, The empirical
// distribution function with arbitrarily grouped, censored and truncated data, 1976).
// The last fifth is left out, since it is where the exceptions are.
func spread(seen []Took) []cell {
	const rounds, most = 60, 0.8
	edges := []time.Duration{0}
	for _, s := range seen {
		edges = append(edges, s.After, s.By)
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	cells := make([]cell, len(edges)-1)
	for i := range cells {
		cells[i] = cell{edges[i], edges[i+1], 1}
	}
	for range rounds {
		share(cells, seen)
	}
	var sum float64
	for i, c := range cells {
		if sum += c.mass; sum >= most-1e-9 {
			return cells[:i+1]
		}
	}
	return cells
}

// share gives each time's part to the cells that it may lie in, as they were.
func share(cells []cell, seen []Took) {
	was := slices.Clone(cells)
	for i := range cells {
		cells[i].mass = 0
	}
	for _, s := range seen {
		within := func(c cell) bool { return c.from >= s.After && c.to <= s.By }
		var sum float64
		for _, c := range was {
			if within(c) {
				sum += c.mass
			}
		}
		for i, c := range was {
			if within(c) {
				cells[i].mass += c.mass / sum / float64(len(seen))
			}
		}
	}
}
