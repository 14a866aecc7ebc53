package ledger

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"havip-functions/shared/havip"
)

// Redis is a ledger in a Redis, for functions on the clouds. What it promises is
// what that Redis does: one that loses its last seconds loses them here too, and
// the follow-ups carry the stories over it.
type Redis struct {
	client  *redis.Client
	stories redisShelf
	dead    redisShelf
}

var _ Ledger = (*Redis)(nil)

// OpenRedis connects to redis://user:password@host:port/db, or rediss:// with
// TLS. Its error repeats nothing of the address but the host.
func OpenRedis(ctx context.Context, address string) (*Redis, error) {
	options, err := redis.ParseURL(address)
	if err != nil { // the cause may quote the password
		return nil, errors.New("not an address of Redis; give redis://user:password@host:port/db")
	}
	options.ContextTimeoutEnabled = true
	client := redis.NewClient(options)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := client.Ping(ctx).Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("Redis at %s does not answer: %w; check address, password and network", options.Addr, err), client.Close())
	}
	return &Redis{client, redisShelf{client, "havip:stories"}, redisShelf{client, "havip:dead"}}, nil
}

// Close gives the connections back.
func (r *Redis) Close() error { return r.client.Close() }

// save is the compare-and-set. A revision is never used twice, even after the
// record is lost, because it is at least the server's clock in microseconds; a
// try that is repeated because its reply was lost finds its own nonce.
var save = redis.NewScript(`
local rev = redis.call('HGET', KEYS[1], 'rev') or '0'
if rev ~= ARGV[1] then
  if redis.call('HGET', KEYS[1], 'nonce') == ARGV[3] then return rev end
  return '0'
end
local now = redis.call('TIME')
local fresh = math.max(tonumber(rev) + 1, tonumber(now[1]) * 1000000 + tonumber(now[2]))
fresh = string.format('%.0f', fresh)
redis.call('HSET', KEYS[1], 'rev', fresh, 'record', ARGV[2], 'nonce', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return fresh`)

// Load implements [havip.Ledger].
func (r *Redis) Load(ctx context.Context, key string) (havip.Record, havip.Revision, error) {
	var record havip.Record
	found, err := r.client.HMGet(ctx, recordKey(key), "rev", "record").Result()
	if err != nil {
		return record, 0, err
	}
	rev, _ := found[0].(string)
	text, _ := found[1].(string)
	if rev == "" {
		return record, 0, nil
	}
	n, err := strconv.ParseUint(rev, 10, 64)
	if err != nil {
		return record, 0, fmt.Errorf("%s holds no record of ours; choose another database", recordKey(key))
	}
	err = json.Unmarshal([]byte(text), &record)
	return record, havip.Revision(n), err
}

// Save implements [havip.Ledger].
func (r *Redis) Save(ctx context.Context, key string, record havip.Record, rev havip.Revision) (havip.Revision, error) {
	text, err := json.Marshal(record)
	if err != nil {
		return 0, err
	}
	fresh, err := save.Run(ctx, r.client, []string{recordKey(key)},
		strconv.FormatUint(uint64(rev), 10), text, rand.Text(), int(forget.Seconds())).Uint64()
	if err == nil && fresh == 0 {
		err = havip.ErrConflict
	}
	return havip.Revision(fresh), err
}

func recordKey(key string) string { return "havip:ledger:" + key }

// Archive implements [Ledger].
func (r *Redis) Archive(ctx context.Context, s havip.Story) error {
	return r.stories.put(ctx, shelf(s)+"/"+s.ID, s)
}

// Archived implements [Ledger].
func (r *Redis) Archived(ctx context.Context, key string) ([]havip.Story, error) {
	stories, err := listed[havip.Story](ctx, r.stories, func(id string) bool {
		return key == "" || strings.HasPrefix(id, key+"/")
	})
	newestFirst(stories)
	return stories, err
}

// Bury implements [Ledger].
func (r *Redis) Bury(ctx context.Context, d DeadLetter) error {
	var known DeadLetter
	switch err := r.dead.get(ctx, d.ID, &known); {
	case err == nil:
		d = known.again(d)
	case !errors.Is(err, ErrNotFound):
		return err
	}
	return r.dead.put(ctx, d.ID, d)
}

// DeadLetters implements [Ledger].
func (r *Redis) DeadLetters(ctx context.Context) ([]DeadLetter, error) {
	letters, err := listed[DeadLetter](ctx, r.dead, func(string) bool { return true })
	latestFirst(letters)
	return letters, err
}

// Exhume implements [Ledger].
func (r *Redis) Exhume(ctx context.Context, id string) (DeadLetter, error) {
	var d DeadLetter
	if err := r.dead.get(ctx, id, &d); err != nil {
		return d, err
	}
	return d, r.dead.remove(ctx, id)
}

// redisShelf keeps values for [Keep], each under a key of its own, with an index
// of their ids by the time they were put. The braces keep a cluster's slots one.
type redisShelf struct {
	client *redis.Client
	name   string
}

func (s redisShelf) index() string        { return "{" + s.name + "}" }
func (s redisShelf) key(id string) string { return s.index() + ":" + id }

func (s redisShelf) put(ctx context.Context, id string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	now := time.Now()
	gone := strconv.FormatInt(now.Add(-Keep).UnixMilli(), 10)
	_, err = s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, s.key(id), text, Keep)
		p.ZAdd(ctx, s.index(), redis.Z{Score: float64(now.UnixMilli()), Member: id})
		p.ZRemRangeByScore(ctx, s.index(), "-inf", gone)
		p.Expire(ctx, s.index(), Keep)
		return nil
	})
	return err
}

func (s redisShelf) get(ctx context.Context, id string, into any) error {
	text, err := s.client.Get(ctx, s.key(id)).Bytes()
	if errors.Is(err, redis.Nil) {
		return ErrNotFound
	}
	return cmp.Or(err, json.Unmarshal(text, into))
}

func (s redisShelf) remove(ctx context.Context, id string) error {
	_, err := s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Del(ctx, s.key(id))
		p.ZRem(ctx, s.index(), id)
		return nil
	})
	return err
}

// listed reads every value that is picked, of those not expired.
func listed[T any](ctx context.Context, s redisShelf, pick func(id string) bool) ([]T, error) {
	ids, err := s.client.ZRange(ctx, s.index(), 0, -1).Result()
	ids = slices.DeleteFunc(ids, func(id string) bool { return !pick(id) })
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = s.key(id)
	}
	values, err := s.client.MGet(ctx, keys...).Result()
	var found []T
	for _, value := range values {
		text, ok := value.(string)
		if !ok {
			continue // it expired
		}
		var v T
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return found, err
		}
		found = append(found, v)
	}
	return found, err
}
