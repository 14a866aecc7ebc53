package trace

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

// Exporter sends traces by OTLP over HTTP. A nil one is off: nothing is told, kept or
// sent.
type Exporter struct {
	url      string
	headers  http.Header
	timeout  time.Duration
	resource attributes // who tells it
	client   *http.Client
	log      *slog.Logger

	mu      sync.Mutex
	waiting []span
	dropped int
	failing bool
}

// most is how many spans wait for a collector that does not answer, as many as the SDKs'
// own queues have. The oldest are dropped for new ones.
const most = 2048

// Ended takes a story that ended. It never waits: Flush sends it, or what Start began.
func (x *Exporter) Ended(s havip.Story) {
	if x != nil {
		x.keep(spans(s))
	}
}

func (x *Exporter) keep(more []span) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.waiting = append(x.waiting, more...)
	if over := len(x.waiting) - most; over > 0 {
		x.waiting = x.waiting[over:]
		x.dropped += over
	}
}

// briefly is what a call of a function waits for a collector at the most, and half of
// what is left of it: its own work is done by then.
const briefly = 2 * time.Second

// Flush sends what waits, before a call of a function ends; what is not taken is lost.
func (x *Exporter) Flush(ctx context.Context) {
	if x == nil {
		return
	}
	within := briefly
	if deadline, limited := ctx.Deadline(); limited {
		within = min(within, time.Until(deadline)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	lost := len(x.send(ctx))
	x.mu.Lock()
	defer x.mu.Unlock()
	x.dropped += lost
}

// between two sendings, as the SDKs' own pause is.
const between = 5 * time.Second

// Start sends what waits now and then, whatever becomes of the context, until finish sends
// the rest. What is not taken is tried again.
func (x *Exporter) Start(ctx context.Context) (finish func()) {
	if x == nil {
		return func() {}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	var sending sync.WaitGroup
	sending.Go(func() { x.run(ctx) })
	return func() {
		stop()
		sending.Wait()
	}
}

func (x *Exporter) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			x.Flush(context.WithoutCancel(ctx))
			return
		case <-time.After(between):
			x.keep(x.send(ctx))
		}
	}
}

// send returns what was not taken. It is logged once, not with each try.
func (x *Exporter) send(ctx context.Context) (untaken []span) {
	x.mu.Lock()
	batch, dropped := x.waiting, x.dropped
	x.waiting, x.dropped = nil, 0
	x.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	err := x.post(ctx, batch)
	x.mu.Lock()
	defer x.mu.Unlock()
	news := x.failing != (err != nil)
	x.failing = err != nil
	if err != nil {
		if x.dropped += dropped; news {
			x.log.Warn("traces are not sent", "error", err)
		}
		return batch
	}
	if news || dropped > 0 {
		x.log.Warn("traces are sent again", "lostSpans", dropped)
	}
	return nil
}

func (x *Exporter) post(ctx context.Context, batch []span) error {
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	body, err := json.Marshal(x.request(batch))
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, x.url, bytes.NewReader(body))
	if err != nil {
		return wire.WithoutURL(err)
	}
	r.Header = x.headers.Clone()
	r.Header.Set("Content-Type", "application/json")
	answer, err := x.client.Do(r)
	if err != nil {
		return wire.WithoutURL(err)
	}
	defer answer.Body.Close()                        //nolint:errcheck // only its status matters
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection serves again
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("the collector answered %d; check OTEL_EXPORTER_OTLP_ENDPOINT and its headers", answer.StatusCode)
	}
	return nil
}

// request is OTLP's ExportTraceServiceRequest.
func (x *Exporter) request(batch []span) any {
	type object = map[string]any
	return object{"resourceSpans": []object{{
		"resource":   object{"attributes": x.resource},
		"scopeSpans": []object{{"scope": object{"name": "havip-functions"}, "spans": batch}},
	}}}
}
