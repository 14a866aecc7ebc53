package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// OpenRedis connects to redis://user:password@host:port/db, or rediss:// with TLS: a
// Redis, or any node of a cluster, whose keys of ours are each read and written alone.
// One that forgets what it should keep, or may not be written to, is refused. Its
// error repeats nothing of the address but the host.
func OpenRedis(ctx context.Context, address string) (*Redis, error) {
	options, err := redis.ParseURL(address)
	if err != nil { // the cause may quote the password
		return nil, errors.New("not an address of Redis; give redis://user:password@host:port/db")
	}
	options.ContextTimeoutEnabled = true
	redis.SetLogger(redisLog{})
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	single := redis.NewClient(options)
	facts, err := askRedis(ctx, single)
	cluster := facts.is("cluster_enabled", "1")
	if err == nil && !cluster {
		err = facts.fits()
	}
	switch {
	case err != nil:
		return nil, errors.Join(fmt.Errorf("Redis at %s %w", options.Addr, err), single.Close())
	case !cluster:
		return newRedis(single), nil
	}
	all, err := openCluster(ctx, address)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("Redis at %s, a cluster: %w", options.Addr, err), single.Close())
	}
	return newRedis(all), single.Close()
}

func newRedis(client redis.UniversalClient) *Redis {
	return &Redis{client, redisIndex{client, "havip:strays"}, redisIndex{client, "havip:dead"}}
}

// openCluster connects to the nodes of a cluster. Nobody reads from its replicas, which
// lag: an address that says so is none of a single Redis, and was refused.
func openCluster(ctx context.Context, address string) (*redis.ClusterClient, error) {
	options, err := redis.ParseClusterURL(address)
	if err != nil { // the cause may quote the password
		return nil, errors.New("its address has options that a cluster does not know")
	}
	options.ContextTimeoutEnabled = true
	all := redis.NewClusterClient(options)
	err = all.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		facts, err := askRedis(ctx, node)
		if err == nil {
			err = facts.fits()
		}
		if err != nil {
			return fmt.Errorf("its node %s %w", node.Options().Addr, err)
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, all.Close())
	}
	return all, nil
}

// redisFacts is what a Redis tells of itself by INFO.
type redisFacts string

func askRedis(ctx context.Context, node *redis.Client) (redisFacts, error) {
	info, err := node.Info(ctx).Result()
	switch {
	case err != nil && strings.HasPrefix(err.Error(), "NOPERM"):
		return "", errors.New("does not tell its user whether it would forget; let him ask: ACL SETUSER … +info")
	case err != nil:
		return "", fmt.Errorf("does not answer: %w; check address, password and network", err)
	}
	return redisFacts(info), nil
}

func (f redisFacts) is(name, value string) bool {
	return strings.Contains(string(f), "\n"+name+":"+value+"\r")
}

// fits tells why this Redis can't keep a ledger. An eviction would take what must not
// be forgotten, and a replica lags: what it says may be old.
func (f redisFacts) fits() error {
	switch {
	case f.is("role", "slave"):
		return errors.New("is a replica; give the address of the primary")
	case !f.is("maxmemory_policy", "noeviction"):
		return errors.New("forgets what it should keep where its memory is full; set its maxmemory-policy to noeviction")
	}
	return nil
}

// redisLog puts what the client says of its connections where everything else stands.
type redisLog struct{}

// Printf implements the logger of go-redis.
func (redisLog) Printf(ctx context.Context, format string, v ...any) {
	slog.WarnContext(ctx, "Redis: "+fmt.Sprintf(format, v...))
}
