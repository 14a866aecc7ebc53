package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// silence is after how long a replica counts as away. The engine's leaders hear from
// theirs every second, and know that too few are left only after ten.
const silence = 4 * time.Second

// takes is an error while the stream of requests can't take any: nobody leads it, or
// its leader hears from too few replicas.
func (b *Bus) takes(ctx context.Context) error {
	info, err := b.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("the stream of requests does not answer: %w", err)
	}
	return quorum(info.Cluster)
}

// quorum judges the replicas by their leader. An engine of one node has none.
func quorum(c *jetstream.ClusterInfo) error {
	switch {
	case c == nil:
		return nil
	case c.Leader == "":
		return errors.New("nobody leads the stream of requests")
	}
	heard := 1
	for _, r := range c.Replicas {
		if !r.Offline && r.Active < silence {
			heard++
		}
	}
	if all := len(c.Replicas) + 1; 2*heard <= all {
		return fmt.Errorf("the stream of requests has %d of its %d replicas, and takes nothing", heard, all)
	}
	return nil
}
