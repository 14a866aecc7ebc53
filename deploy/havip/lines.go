package main

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"
)

// lines writes the lines of several tellers in the order of their times: each waits a
// little for those that are heard of later.
type lines struct {
	out io.Writer

	mu      sync.Mutex
	waiting []timed
}

type timed struct {
	at   time.Time
	line string
}

// late is how much later a line may be heard of than another that comes after it.
const late = 500 * time.Millisecond

// Write implements io.Writer for what stands at no time: it comes after all before it.
func (l *lines) Write(line []byte) (int, error) {
	l.flush(time.Time{})
	return l.out.Write(line)
}

func (l *lines) writeAt(at time.Time, line string) {
	l.mu.Lock()
	i := len(l.waiting)
	for i > 0 && l.waiting[i-1].at.After(at) {
		i--
	}
	l.waiting = slices.Insert(l.waiting, i, timed{at, line})
	l.mu.Unlock()
	l.flush(time.Now().Add(-late))
}

// flush writes what happened until then; all for a zero time.
func (l *lines) flush(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) > 0 && (until.IsZero() || !l.waiting[0].at.After(until)) {
		_, _ = io.WriteString(l.out, l.waiting[0].line) // the reader may have gone
		l.waiting = l.waiting[1:]
	}
}

// keepUp writes what is late enough, until the context ends.
func (l *lines) keepUp(ctx context.Context) {
	tick := time.NewTicker(late / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			l.flush(now.Add(-late))
		}
	}
}
