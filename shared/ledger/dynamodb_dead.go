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

// maxPiece is less than what an item may have, 400 KB.
const maxPiece = 350_000

func deadRow(id string) item { return row(deadPart, id) }

func letterPart(id string) string { return "letter:" + id }

// Bury implements [Ledger]. What is counted may be too much where a letter expired or
// came again: the labels themselves say which have to go.
func (d *DynamoDB) Bury(ctx context.Context, l DeadLetter) (bool, error) {
	known, err := d.label(ctx, l.ID)
	isNew := 0
	switch {
	case err == nil:
		l = known.again(l)
	case errors.Is(err, ErrNotFound):
		isNew = 1
	default:
		return false, err
	}
	if err := d.putPieces(ctx, l); err != nil {
		return false, err
	}
	if err := d.putLabel(ctx, l, len(l.Bytes)); err != nil {
		return false, err
	}
	tally, err := d.tally(ctx, deadPart, isNew, len(l.Bytes))
	if err != nil || tally.number(counted) <= MaxDead && tally.number(letterLen) <= MaxDeadBytes {
		return false, err
	}
	return d.crowdDead(ctx)
}

func (d *DynamoDB) putLabel(ctx context.Context, l DeadLetter, kept int) error {
	label, err := l.label()
	if err != nil {
		return err
	}
	i := deadRow(l.ID).expires(Keep)
	i[valueText], i[letterLen] = blob(label), number(int64(kept))
	_, err = d.put(ctx, i)
	return err
}

func (d *DynamoDB) putPieces(ctx context.Context, l DeadLetter) error {
	n := 0
	for piece := range slices.Chunk(l.Bytes, maxPiece) {
		i := row(letterPart(l.ID), fmt.Sprintf("%04d", n)).expires(Keep)
		i[valueText] = blob(piece)
		if _, err := d.put(ctx, i); err != nil {
			return err
		}
		n++
	}
	return nil
}

func (d *DynamoDB) removePieces(ctx context.Context, id string) error {
	pieces, err := d.all(ctx, letterPart(id))
	for _, p := range pieces {
		err = errors.Join(err, d.remove(ctx, row(p.text(partKey), p.text(sortKey))))
	}
	return err
}

// crowdDead drops the oldest where there are too many, and the bytes of the oldest
// where those are too much, and counts them anew. It tells whether a letter went.
func (d *DynamoDB) crowdDead(ctx context.Context) (full bool, err error) {
	labels, err := d.labels(ctx)
	if err != nil {
		return false, err
	}
	count, size := 0, 0
	for _, l := range labels {
		switch {
		case count >= MaxDead:
			full = true
			err = errors.Join(err, d.remove(ctx, deadRow(l.ID)), d.removePieces(ctx, l.ID))
			continue
		case size+l.kept > MaxDeadBytes:
			err = errors.Join(err, d.removePieces(ctx, l.ID), d.putLabel(ctx, l.DeadLetter, 0))
		default:
			size += l.kept
		}
		count++
	}
	if err != nil {
		return full, err
	}
	tally := row("tally", deadPart)
	tally[counted], tally[letterLen] = number(int64(count)), number(int64(size))
	_, err = d.put(ctx, tally)
	return full, err
}

// labelled is a letter without its bytes, and how many of them are kept.
type labelled struct {
	DeadLetter
	kept int
}

// labels are those of all letters, the newest first.
func (d *DynamoDB) labels(ctx context.Context) (all []labelled, err error) {
	found, err := d.all(ctx, deadPart)
	if err != nil {
		return nil, err
	}
	for _, i := range found {
		l := labelled{kept: int(i.number(letterLen))}
		if err := json.Unmarshal(i.value(), &l.DeadLetter); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b labelled) int { return b.LastAt.Compare(a.LastAt) })
	return all, nil
}

func (d *DynamoDB) label(ctx context.Context, id string) (l DeadLetter, err error) {
	if checkKey(id) != nil {
		return l, ErrNotFound
	}
	found, err := d.get(ctx, deadRow(id))
	if err == nil && found == nil {
		err = ErrNotFound
	}
	if err != nil {
		return l, err
	}
	return l, json.Unmarshal(found.value(), &l)
}

// DeadLetter implements [Ledger].
func (d *DynamoDB) DeadLetter(ctx context.Context, id string) (DeadLetter, error) {
	l, err := d.label(ctx, id)
	if err != nil {
		return l, err
	}
	pieces, err := d.all(ctx, letterPart(id))
	for _, p := range pieces { // in order
		l.Bytes = append(l.Bytes, p.value()...)
	}
	return l, err
}

// DeadLetters implements [Ledger].
func (d *DynamoDB) DeadLetters(ctx context.Context) ([]DeadLetter, error) {
	labels, err := d.labels(ctx)
	var letters []DeadLetter
	for _, l := range labels {
		letters = append(letters, l.DeadLetter)
	}
	return letters, err
}

// Exhume implements [Ledger].
func (d *DynamoDB) Exhume(ctx context.Context, id string) (DeadLetter, error) {
	l, err := d.DeadLetter(ctx, id)
	if err != nil {
		return l, err
	}
	if err := d.remove(ctx, deadRow(id)); err != nil {
		return l, err
	}
	_, err = d.tally(ctx, deadPart, -1, -len(l.Bytes))
	return l, errors.Join(err, d.removePieces(ctx, id))
}
