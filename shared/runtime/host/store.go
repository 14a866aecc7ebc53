package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// ErrStore means that the embedded engine has failed to write something, as on a
// full disk. It does not try again by itself: the host has to be opened anew.
var ErrStore = errors.New("the data folder can't be written; is the disk full?")

// health is what the embedded engine says of its store. It remembers the first write
// of each of its streams that failed, and takes no other for that stream; one that
// is only slow is none of them, and neither is a look of its own that came too late
// on a busy machine. A cluster sees to its own nodes.
func (e *engine) health() error {
	if e.embedded == nil {
		return nil
	}
	for _, sick := range e.embedded.Healthz(&server.HealthzOptions{Details: true}).Errors {
		if sick.Type != server.HealthzErrorConn {
			return fmt.Errorf("%w %s", ErrStore, sick.Error)
		}
	}
	return nil
}

// healthEvery is the time between two looks at the engine. None of them costs a
// write; on a slow disk each waits for the one under way.
const healthEvery = 500 * time.Millisecond

// guardStore writes down how far the embedded engine has come, and stops the host
// once it can't write any more, with the reason. Of a cluster it tells what is lost.
func (h *Host) guardStore(ctx context.Context, stop context.CancelCauseFunc) {
	if h.engine.embedded == nil {
		watchMarks(ctx, h.bus.js, h.config.Log)
		return
	}
	go keepMarks(ctx, h.bus.js, h.config.Data)
	for pause(ctx, healthEvery) == nil {
		if err := h.engine.health(); err != nil {
			h.config.Log.Error("the engine can't write", "data", h.config.Data, "error", err)
			stop(err)
			h.engine.conn.Close() // whoever waits for the stream that is silent now hears at once
			return
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
