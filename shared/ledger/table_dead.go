package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// The dead letters of a table: their labels are one part, so that they can be listed
// and counted, and the bytes of each are a part of their own, in pieces.
const deadPart = "dead"

// maxPiece is less than what a row may have: 400 KB in DynamoDB, 2 MB in Tablestore.
const maxPiece = 350_000

func letterPart(id string) string { return "letter:" + id }

// Bury implements [Ledger]. What is counted may be too much where a letter expired or
// came again: the labels themselves say which have to go.
func (t *Table) Bury(ctx context.Context, l DeadLetter) (bool, error) {
	known, err := t.label(ctx, l.ID)
	isNew := 0
	switch {
	case err == nil:
		l = known.again(l)
	case errors.Is(err, ErrNotFound):
		isNew = 1
	default:
		return false, err
	}
	if err := t.putPieces(ctx, l); err != nil {
		return false, err
	}
	if err := t.putLabel(ctx, l, len(l.Bytes)); err != nil {
		return false, err
	}
	tally, err := t.rows.add(ctx, tallyPart, deadPart, isNew, len(l.Bytes))
	if err != nil || tally.count <= MaxDead && tally.size <= MaxDeadBytes {
		return false, err
	}
	return t.crowdDead(ctx)
}

func (t *Table) putLabel(ctx context.Context, l DeadLetter, kept int) error {
	label, err := l.label()
	if err != nil {
		return err
	}
	return t.rows.put(ctx, row{part: deadPart, sort: l.ID, body: label, size: int64(kept)}.expire(Keep))
}

func (t *Table) putPieces(ctx context.Context, l DeadLetter) error {
	n := 0
	for piece := range slices.Chunk(l.Bytes, maxPiece) {
		if err := t.rows.put(ctx, row{part: letterPart(l.ID), sort: fmt.Sprintf("%04d", n), body: piece}.expire(Keep)); err != nil {
			return err
		}
		n++
	}
	return nil
}

func (t *Table) removePieces(ctx context.Context, id string) error {
	pieces, err := t.rows.all(ctx, letterPart(id))
	for _, p := range pieces {
		err = errors.Join(err, t.rows.remove(ctx, p))
	}
	return err
}

// crowdDead drops the oldest where there are too many, and the bytes of the oldest
// where those are too much, and counts them anew. It tells whether a letter went.
func (t *Table) crowdDead(ctx context.Context) (full bool, err error) {
	labels, err := t.labels(ctx)
	if err != nil {
		return false, err
	}
	count, size := 0, 0
	for _, l := range labels {
		switch {
		case count >= MaxDead:
			full = true
			err = errors.Join(err, t.rows.remove(ctx, row{part: deadPart, sort: l.ID}), t.removePieces(ctx, l.ID))
			continue
		case size+l.kept > MaxDeadBytes:
			err = errors.Join(err, t.removePieces(ctx, l.ID), t.putLabel(ctx, l.DeadLetter, 0))
		default:
			size += l.kept
		}
		count++
	}
	if err != nil {
		return full, err
	}
	return full, t.rows.put(ctx, row{part: tallyPart, sort: deadPart, count: int64(count), size: int64(size)})
}

// labelled is a letter without its bytes, and how many of them are kept.
type labelled struct {
	DeadLetter
	kept int
}

// labels are those of all letters, the newest first.
func (t *Table) labels(ctx context.Context) (all []labelled, err error) {
	found, err := t.rows.all(ctx, deadPart)
	if err != nil {
		return nil, err
	}
	for _, r := range found {
		if r.gone() {
			continue
		}
		l := labelled{kept: int(r.size)}
		if err := json.Unmarshal(r.body, &l.DeadLetter); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b labelled) int { return b.LastAt.Compare(a.LastAt) })
	return all, nil
}

func (t *Table) label(ctx context.Context, id string) (l DeadLetter, err error) {
	if checkKey(id) != nil {
		return l, ErrNotFound
	}
	found, err := t.find(ctx, deadPart, id)
	if err == nil && found.part == "" {
		err = ErrNotFound
	}
	if err != nil {
		return l, err
	}
	return l, json.Unmarshal(found.body, &l)
}

// DeadLetter implements [Ledger].
func (t *Table) DeadLetter(ctx context.Context, id string) (DeadLetter, error) {
	l, err := t.label(ctx, id)
	if err != nil {
		return l, err
	}
	pieces, err := t.rows.all(ctx, letterPart(id))
	for _, p := range pieces { // in order
		l.Bytes = append(l.Bytes, p.body...)
	}
	return l, err
}

// DeadLetters implements [Ledger].
func (t *Table) DeadLetters(ctx context.Context) ([]DeadLetter, error) {
	labels, err := t.labels(ctx)
	var letters []DeadLetter
	for _, l := range labels {
		letters = append(letters, l.DeadLetter)
	}
	return letters, err
}

// Exhume implements [Ledger].
func (t *Table) Exhume(ctx context.Context, id string) (DeadLetter, error) {
	l, err := t.DeadLetter(ctx, id)
	if err != nil {
		return l, err
	}
	if err := t.rows.remove(ctx, row{part: deadPart, sort: id}); err != nil {
		return l, err
	}
	_, err = t.rows.add(ctx, tallyPart, deadPart, -1, -len(l.Bytes))
	return l, errors.Join(err, t.removePieces(ctx, id))
}
