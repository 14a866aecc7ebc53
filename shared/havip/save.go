package havip

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// save writes the record where it is as it was read. What a look found is not lost
// to whoever only emptied the outbox or joined the story meanwhile.
func (l *look) save(ctx context.Context) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := l.write(ctx)
		if !errors.Is(err, ErrConflict) {
			return err
		}
		if err := rest(ctx, pause); err != nil {
			return err
		}
		if err := l.rebase(ctx, err); err != nil {
			return err
		}
	}
}

// write is one compare-and-set of the record.
func (l *look) write(ctx context.Context) error {
	rev, err := Save(ctx, l.keeper.Ledger, l.key, l.record, l.rev)
	if err == nil {
		l.rev, l.wrote = rev, rev
	}
	return err
}

// remember keeps the record as it is now, to know later what others changed.
func (l *look) remember() {
	before := l.record
	if l.record.Story != nil {
		story := *l.record.Story
		before.Story = &story
	}
	if l.record.Pending != nil {
		pending := *l.record.Pending
		before.Pending = &pending
	}
	before.Outbox = slices.Clone(l.record.Outbox)
	l.before = &before
}

// rebase puts what the look found onto the record as it is now, if nothing
// changed that it decided by; otherwise the conflict stands.
func (l *look) rebase(ctx context.Context, conflict error) error {
	now, rev, err := Load[Record](ctx, l.keeper.Ledger, l.key)
	if err != nil {
		return err
	}
	if l.before == nil || !l.before.same(now, l.leased) {
		return conflict
	}
	was := l.before.Outbox
	found := slices.DeleteFunc(slices.Clone(l.record.Outbox), func(n Message) bool { return contains(was, n.ID) })
	now.dropChecks()
	l.record.Outbox = append(now.Outbox, found...)
	l.record.Seen, l.record.Marks, l.record.Frozen = now.Seen, now.Marks, now.Frozen
	l.record.Drift, l.record.Outage, l.record.Watched = now.Drift, now.Outage, now.Watched
	if l.err == nil { // else nobody has read who announces the address
		l.record.announced(l.have, l.now)
	}
	if now.Served.After(l.record.Served) {
		l.record.Served = now.Served
	}
	if c := l.record.Closed; c == nil || c.ID != l.story.ID { // else the look itself has closed it
		l.record.Closed = now.Closed
	}
	l.record.Silenced = max(l.record.Silenced, now.Silenced)
	l.rev = rev
	return nil
}

// same tells that nobody took a look since the record was read, nor joined the
// story in a way that its end depends on. Before a call what is known of the
// members counts too; the answer of one is kept whatever became of them.
func (r *Record) same(now Record, leased bool) bool {
	p, q, s := r.Pending, now.Pending, now.Story
	pending := p == nil && q == nil || p != nil && q != nil && q.Token == p.Token && q.SentAt.Equal(p.SentAt)
	marks := leased || maps.Equal(r.failures(), now.failures()) && frozenAlike(r.Frozen, now.Frozen)
	return s.Open() && s.ID == r.Story.ID && s.Attempt == r.Story.Attempt && s.Joined == r.Story.Joined && pending && marks
}

// failures are the marks by their word alone.
func (r *Record) failures() map[string]bool {
	failed := map[string]bool{}
	for id, m := range r.Marks {
		failed[id] = m.Failed
	}
	return failed
}

func frozenAlike(a, b *Freeze) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Until.Equal(b.Until)
}

func contains(messages []Message, id string) bool {
	return slices.ContainsFunc(messages, func(l Message) bool { return l.ID == id })
}
