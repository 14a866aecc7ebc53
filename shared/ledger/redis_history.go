package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"havip-functions/shared/havip"
)

// The stories that ended in a Redis: each under a key of its own, and listed by
// the time of its end, once among those of its HAVIP and once among all. A list
// is sorted by its members' letters, so that a page can begin after any of them.
const (
	storyPrefix = "havip:story:"
	allStories  = "havip:stories"
)

// Archive implements [havip.Ledger].
func (r *Redis) Archive(ctx context.Context, s havip.Story) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := r.client.Set(ctx, storyPrefix+s.ID, text, Keep).Err(); err != nil {
		return redisKind(err)
	}
	gone := fmt.Sprintf("(%020d", time.Now().Add(-Keep).UnixMicro())
	_, err = r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, list := range []string{allStories, allStories + ":" + s.HAVIP.Shelf()} {
			p.ZAdd(ctx, list, redis.Z{Member: listed(s)})
			p.ZRemRangeByLex(ctx, list, "-", gone)
			p.Expire(ctx, list, Keep)
		}
		return nil
	})
	return redisKind(err)
}

// Story implements [Ledger].
func (r *Redis) Story(ctx context.Context, id string) (s havip.Story, err error) {
	if !havip.IsStoryID(id) {
		return s, ErrNotFound
	}
	text, err := r.client.Get(ctx, storyPrefix+id).Bytes()
	if errors.Is(err, redis.Nil) {
		return r.stray(ctx, havip.StrayKey(id))
	}
	if err != nil {
		return s, redisKind(err)
	}
	return s, json.Unmarshal(text, &s)
}

func (r *Redis) stray(ctx context.Context, key string) (havip.Story, error) {
	record, _, err := havip.Load[havip.Record](ctx, r, key)
	if err != nil {
		return havip.Story{}, err
	}
	if record.Story == nil {
		return havip.Story{}, ErrNotFound
	}
	return *record.Story, nil
}

// Stories implements [Ledger]. A place is the last one told, as it is listed.
func (r *Redis) Stories(ctx context.Context, key, from string, most int) (found []havip.Story, next string, err error) {
	list, below := allStories, "+"
	if key != "" {
		list += ":" + shelfOf(key)
	}
	if !isListed(from) {
		return nil, "", badPlace(from)
	}
	if from != "" {
		below = "(" + from
	}
	for {
		ids, err := r.client.ZRangeArgs(ctx, redis.ZRangeArgs{Key: list, ByLex: true, Rev: true, Start: below, Stop: "-", Count: int64(most)}).Result()
		if err != nil {
			return nil, "", redisKind(err)
		}
		for _, at := range ids {
			_, id, _ := strings.Cut(at, ".")
			s, err := r.Story(ctx, id)
			switch {
			case errors.Is(err, ErrNotFound): // it expired
			case err != nil:
				return nil, "", err
			case key == "" || s.HAVIP.String() == key: // two HAVIPs may share a shelf
				found = append(found, s)
			}
			if len(found) == most {
				return found, at, nil
			}
			below = "(" + at
		}
		if len(ids) < most {
			return found, "", nil
		}
	}
}

// listStray lists the story of a stray among all, where it is found by its key.
func (r *Redis) listStray(ctx context.Context, value []byte) error {
	var record havip.Record
	if json.Unmarshal(value, &record) != nil || record.Story == nil {
		return nil //nolint:nilerr // no stray of ours
	}
	return r.client.ZAdd(ctx, allStories, redis.Z{Member: listed(*record.Story)}).Err()
}
