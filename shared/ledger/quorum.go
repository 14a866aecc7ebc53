package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

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
