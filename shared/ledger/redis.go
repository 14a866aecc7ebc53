package ledger

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
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
	over, err := x.client.ZCard(ctx, x.name).Result()
	if err != nil || over <= most {
		return err
	}
	dropped, err := x.client.ZPopMin(ctx, x.name, over-most).Result()
	for _, z := range dropped {
		old, _ := z.Member.(string)
		err = cmp.Or(err, drop(ctx, x.client, keys(old)...))
	}
	return err
}

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
