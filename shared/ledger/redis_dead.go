package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"github.com/redis/go-redis/v9"
)

// Bury implements [Ledger].
func (r *Redis) Bury(ctx context.Context, d DeadLetter) (bool, error) {
	known, err := r.label(ctx, d.ID)
	switch {
	case err == nil:
		d = known.again(d)
	case !errors.Is(err, ErrNotFound):
		return false, err
	}
	text, err := d.label()
	if err != nil {
		return false, err
	}
	_, err = r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, deadBytes+d.ID, d.Bytes, Keep)
		p.Set(ctx, r.dead.key(d.ID), text, Keep)
		return nil
	})
	if err != nil {
		return false, redisKind(err)
	}
	count, err := r.client.ZCard(ctx, r.dead.name).Result()
	if err == nil {
		err = r.dead.add(ctx, d.ID, MaxDead, r.deadKeys)
	}
	if err == nil {
		err = r.crowd(ctx)
	}
	return count >= MaxDead && known.ID == "", redisKind(err)
}

// deadBytes comes before a dead letter's id where its bytes are.
const deadBytes = "havip:deadbytes:"

func (r *Redis) deadKeys(id string) []string { return []string{r.dead.key(id), deadBytes + id} }

// crowd drops the bytes of the oldest dead letters where all of them are too many.
func (r *Redis) crowd(ctx context.Context) error {
	ids, err := r.newestDead(ctx)
	if err != nil {
		return err
	}
	sizes, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, id := range ids {
			p.StrLen(ctx, deadBytes+id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var total int64
	for i, id := range ids {
		size, _ := sizes[i].(*redis.IntCmd) // as asked for above
		if total += size.Val(); total > MaxDeadBytes {
			err = cmp.Or(err, r.client.Del(ctx, deadBytes+id).Err())
		}
	}
	return err
}

func (r *Redis) newestDead(ctx context.Context) ([]string, error) {
	return r.client.ZRangeArgs(ctx, redis.ZRangeArgs{Key: r.dead.name, Start: 0, Stop: -1, Rev: true}).Result()
}

func (r *Redis) label(ctx context.Context, id string) (d DeadLetter, err error) {
	text, err := r.client.Get(ctx, r.dead.key(id)).Bytes()
	if err != nil {
		return d, redisKind(err)
	}
	return d, json.Unmarshal(text, &d)
}

// DeadLetter implements [Ledger].
func (r *Redis) DeadLetter(ctx context.Context, id string) (DeadLetter, error) {
	d, err := r.label(ctx, id)
	if err != nil {
		return d, err
	}
	d.Bytes, err = r.client.Get(ctx, deadBytes+id).Bytes()
	if errors.Is(err, redis.Nil) { // newer ones have crowded them out
		return d, nil
	}
	return d, redisKind(err)
}

// DeadLetters implements [Ledger].
func (r *Redis) DeadLetters(ctx context.Context) ([]DeadLetter, error) {
	ids, err := r.newestDead(ctx)
	if err != nil {
		return nil, redisKind(err)
	}
	var letters []DeadLetter
	for _, id := range ids {
		d, err := r.label(ctx, id)
		switch {
		case errors.Is(err, ErrNotFound): // it expired
		case err != nil:
			return letters, err
		default:
			d.Bytes = nil // those of an older version of ours
			letters = append(letters, d)
		}
	}
	latestFirst(letters)
	return letters, nil
}

// Exhume implements [Ledger].
func (r *Redis) Exhume(ctx context.Context, id string) (DeadLetter, error) {
	d, err := r.DeadLetter(ctx, id)
	if err != nil {
		return d, err
	}
	return d, redisKind(cmp.Or(drop(ctx, r.client, r.deadKeys(id)...), r.client.ZRem(ctx, r.dead.name, id).Err()))
}
