package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Outcomes is the stream of outcomes: each has a place, and one may begin after any.
type Outcomes interface {
	// Next returns the first outcome after a place, and its own; it waits for one.
	Next(ctx context.Context, after uint64) (place uint64, event []byte, err error)
	// Newest is the place of the newest one.
	Newest(ctx context.Context) (uint64, error)
}

// What a viewer may take of the host.
const (
	maxViewers = 256
	beat       = 5 * time.Second  // nobody hears nothing for longer
	slowest    = 10 * time.Second // until one write is taken
	longest    = time.Hour        // until he has to show his proof again
)

// live sends outcomes as server-sent events from where Last-Event-ID, or ?after=, says;
// without either from now on. A beat tells that it lives.
//
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func (c *Console) live(w http.ResponseWriter, r *http.Request) {
	if c.viewers.Add(1) > maxViewers {
		c.viewers.Add(-1)
		w.Header().Set("Retry-After", "30")
		http.Error(w, "too many are watching; come again", http.StatusServiceUnavailable)
		return
	}
	defer c.viewers.Add(-1)
	ctx, cancel := context.WithTimeout(r.Context(), longest)
	defer cancel()
	defer context.AfterFunc(c.stopped, cancel)()
	place, err := c.place(ctx, r)
	if err != nil {
		http.Error(w, "the stream can't be read now", http.StatusServiceUnavailable)
		return
	}
	c.front.reach(place) // what he reads once he follows is from after the place
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep it
	v := viewer{w, control}
	err = v.send("retry: 1000\nid: %d\nevent: begin\ndata: %d\n\n", place, place)
	for err == nil {
		place, err = c.follow(ctx, v, place)
	}
}

// follow sends the next outcome, or a beat where there is none for a while.
func (c *Console) follow(ctx context.Context, v viewer, place uint64) (uint64, error) {
	waiting, cancel := context.WithTimeout(ctx, beat)
	defer cancel()
	next, event, err := c.host.Outcomes.Next(waiting, place)
	switch {
	case ctx.Err() != nil:
		return place, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return place, v.send("event: beat\ndata: %d\n\n", place)
	case err != nil:
		return place, err // he comes again, from the same place
	}
	c.front.reach(next)
	return next, v.send("id: %d\nevent: outcome\ndata: %s\n\n", next, bytes.ReplaceAll(event, []byte("\n"), []byte(" ")))
}

// place is where the viewer goes on. A place that the stream has never come to is of a
// data folder that was lost: he hears what is new.
func (c *Console) place(ctx context.Context, r *http.Request) (uint64, error) {
	newest, err := c.host.Outcomes.Newest(ctx)
	if err != nil {
		return 0, err
	}
	asked := r.Header.Get("Last-Event-ID")
	if asked == "" {
		asked = r.URL.Query().Get("after")
	}
	place, bad := strconv.ParseUint(strings.TrimSpace(asked), 10, 63)
	if bad != nil {
		return newest, nil //nolint:nilerr // from now on
	}
	return min(place, newest), nil
}

// viewer is one who watches. He has a while for each write, and not for all together.
type viewer struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (v viewer) send(format string, args ...any) error {
	if err := v.control.SetWriteDeadline(time.Now().Add(slowest)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(v, format, args...); err != nil {
		return err
	}
	return v.control.Flush()
}
