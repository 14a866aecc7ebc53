package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// settled does what a cluster can't do yet, once it can: one that has just begun, or
// whose node is coming back. It gives up when the context ends, or its own time.
func settled[T any](ctx context.Context, do func() (T, error)) (T, error) {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	var before error // why not
	for {
		v, err := do()
		if before != nil && errors.Is(err, context.DeadlineExceeded) {
			return v, before
		}
		before = err
		var api *jetstream.APIError
		if !errors.As(err, &api) || api.ErrorCode != codeNoPeers && api.ErrorCode != codeNotAvailable {
			return v, err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return v, err
		}
	}
}

// silence is after how long a replica counts as away. The engine's leaders hear from
// theirs every second, and know that too few are left only after ten.
const silence = 4 * time.Second

// Takes is an error while one of the buckets, or of the streams beside them, can't
// take messages: nobody leads it, or its leader hears from too few replicas. It writes
// nothing.
func (j *JetStream) Takes(ctx context.Context, beside ...jetstream.Stream) error {
	streams := beside
	for _, b := range []bucket{j.records, j.events, j.strays, j.stories, j.dead, j.letters} {
		streams = append(streams, b.stream)
	}
	failed := make([]error, len(streams))
	var asked sync.WaitGroup
	for i, s := range streams {
		asked.Go(func() {
			info, err := s.Info(ctx)
			if err == nil {
				err = quorum(info.Cluster)
			}
			if err != nil {
				failed[i] = fmt.Errorf("%s: %w", s.CachedInfo().Config.Name, err)
			}
		})
	}
	asked.Wait()
	return errors.Join(failed...)
}

// quorum judges the replicas by their leader. An engine of one node has none.
func quorum(c *jetstream.ClusterInfo) error {
	switch {
	case c == nil:
		return nil
	case c.Leader == "":
		return errors.New("nobody leads it")
	}
	heard := 1
	for _, r := range c.Replicas {
		if !r.Offline && r.Active < silence {
			heard++
		}
	}
	if all := len(c.Replicas) + 1; 2*heard <= all {
		return fmt.Errorf("it has %d of its %d replicas, and takes nothing", heard, all)
	}
	return nil
}
