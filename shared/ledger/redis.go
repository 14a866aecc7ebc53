package ledger

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
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
	client redis.UniversalClient
	strays redisIndex
	dead   redisIndex
}

var _ Ledger = (*Redis)(nil)

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
if ARGV[4] ~= '0' then redis.call('EXPIRE', KEYS[1], ARGV[4]) else redis.call('PERSIST', KEYS[1]) end
return fresh`)

// Now implements [Ledger].
func (r *Redis) Now(ctx context.Context) (time.Time, error) {
	now, err := r.client.Time(ctx).Result()
	return now, redisKind(err)
}

// Load implements [havip.Ledger].
func (r *Redis) Load(ctx context.Context, key string) ([]byte, havip.Revision, error) {
	if err := checkKey(key); err != nil {
		return nil, 0, err
	}
	found, err := r.client.HMGet(ctx, recordKey(key), "rev", "record").Result()
	if err != nil {
		return nil, 0, redisKind(err)
	}
	rev, _ := found[0].(string)
	text, _ := found[1].(string)
	if rev == "" {
		return nil, 0, nil
	}
	n, err := strconv.ParseUint(rev, 10, 64)
	if err != nil {
		return nil, 0, fmt.Errorf("%s holds no record of ours; choose another database", recordKey(key))
	}
	return []byte(text), havip.Revision(n), nil
}

// Save implements [havip.Ledger].
func (r *Redis) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	fresh, err := save.Run(ctx, r.client, []string{recordKey(key)},
		strconv.FormatUint(uint64(rev), 10), value, rand.Text(), int(life(key).Seconds())).Uint64()
	switch {
	case err != nil:
		return 0, redisKind(err)
	case fresh == 0:
		return 0, havip.ErrConflict
	case rev == 0 && havip.IsStrayKey(key):
		err = cmp.Or(r.listStray(ctx, value), r.strays.add(ctx, key, MaxStrays, func(key string) []string { return []string{recordKey(key)} }))
	}
	return havip.Revision(fresh), redisKind(err)
}

// Create implements [havip.Ledger].
func (r *Redis) Create(ctx context.Context, values map[string][]byte) error {
	for key := range values {
		if err := checkKey(key); err != nil {
			return err
		}
	}
	if err := save.Load(ctx, r.client).Err(); err != nil {
		return redisKind(err)
	}
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for key, value := range values {
			save.EvalSha(ctx, p, []string{recordKey(key)}, "0", value, rand.Text(), int(life(key).Seconds()))
		}
		return nil
	})
	return redisKind(err)
}

func recordKey(key string) string { return "havip:ledger:" + key }

// redisKind finds out what an error of Redis is.
func redisKind(err error) error {
	var network net.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.Nil):
		return ErrNotFound
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("%w: %w", ErrSlow, err)
	case errors.Is(err, redis.ErrClosed), errors.As(err, &network):
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	word, _, _ := strings.Cut(err.Error(), " ") // the words of the protocol
	switch word {
	case "OOM", "MISCONF":
		return fmt.Errorf("%w: %w", ErrFull, err)
	case "READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS": // a failover is under way
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return err
}

// redisIndex lists what is kept under keys of their own, by the time it came, and
// keeps so many of them.
type redisIndex struct {
	client redis.UniversalClient
	name   string
}

func (x redisIndex) key(id string) string { return x.name + ":" + id }

// add lists an id, and drops what is too much, under the keys that keys gives.
func (x redisIndex) add(ctx context.Context, id string, most int64, keys func(id string) []string) error {
	now := time.Now()
	err := x.client.ZAdd(ctx, x.name, redis.Z{Score: float64(now.UnixMicro()), Member: id}).Err()
	if err == nil {
		err = x.client.Expire(ctx, x.name, Keep).Err()
	}
	if err != nil {
		return err
	}
	dropped, err := trim.Run(ctx, x.client, []string{x.name}, most).StringSlice()
	for _, old := range dropped {
		err = cmp.Or(err, drop(ctx, x.client, keys(old)...))
	}
	return err
}

// trim takes out the oldest of a list that has more than so many, at once: of two who
// counted and then took, each would take for both.
var trim = redis.NewScript(`
local over = redis.call("ZCARD", KEYS[1]) - tonumber(ARGV[1])
local old = {}
if over > 0 then
	local popped = redis.call("ZPOPMIN", KEYS[1], over)
	for i = 1, #popped, 2 do old[#old + 1] = popped[i] end
end
return old`)

// drop deletes keys one by one: in a cluster each may lie on another node.
func drop(ctx context.Context, client redis.UniversalClient, keys ...string) error {
	_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, key := range keys {
			p.Del(ctx, key)
		}
		return nil
	})
	return err
}
