package fc

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"havip-functions/shared/runtime"
)

// What the go1 runtime asks for, in x-fc-function-type.
const (
	typeHandle      = "0"
	typeInitializer = "1"
	typePreStop     = "2"
	typePreFreeze   = "3"
)

// maxCalls are under way at once in an instance, at most: as many as
// instanceConcurrency can be of component fc3. FC itself hands out no more than
// that says.
const maxCalls = 200

// Go1 answers Function Compute's go1 runtime: it asks for the next call at once,
// and runs each in a goroutine of its own, which posts what became of it.
type Go1 struct {
	API       string // host:port, as FC_RUNTIME_API names it
	Functions runtime.Functions
	Log       *slog.Logger                // slog.Default() where nil
	Ready     func(context.Context) error // answers the initializer; nil is always ready
}

// Run serves until the context ends; the calls under way are answered first. What
// the runtime API does amiss is logged and tried again: only FC ends an instance.
func (h Go1) Run(ctx context.Context) error {
	// No proxy and no time-out: calls are awaited. Each has a connection to answer by.
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: maxCalls}}
	defer client.CloseIdleConnections()
	slots, running, failures := make(chan struct{}, maxCalls), &sync.WaitGroup{}, 0
	for ctx.Err() == nil {
		slots <- struct{}{}
		call, err := h.next(ctx, client)
		if err != nil {
			<-slots
			failures++
			h.rest(ctx, failures, err)
			continue
		}
		failures = 0
		running.Go(func() {
			defer func() { <-slots }()
			if err := h.answer(context.WithoutCancel(ctx), client, call); err != nil {
				h.log().Error("a call can't be answered, so it comes again", "api", h.API, "invocation", callOf(call.header).RequestID, "error", err)
			}
		})
	}
	return drain(running)
}

// rest waits before the next call is asked for again, longer after each failure.
func (h Go1) rest(ctx context.Context, failures int, err error) {
	if ctx.Err() != nil {
		return // it was the stop that cut it off
	}
	const most = 5 * time.Second
	pause := min(firstPause<<min(failures-1, 10), most)
	h.log().Warn("the next call can't be fetched, and is asked for again", "api", h.API, "in", pause.String(), "error", err)
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}

// drain waits for the calls under way, as long as FC waits for an instance to stop.
func drain(running *sync.WaitGroup) error {
	answered := make(chan struct{})
	go func() {
		running.Wait()
		close(answered)
	}()
	select {
	case <-answered:
		return nil
	case <-time.After(grace):
		return fmt.Errorf("calls were still under way %s after the stop", grace)
	}
}

type goCall struct {
	header  http.Header
	payload []byte
}

func (h Go1) next(ctx context.Context, client *http.Client) (goCall, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url("next"), nil)
	if err != nil {
		return goCall{}, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return goCall{}, err
	}
	defer answer.Body.Close() //nolint:errcheck // it was read, or its error is told
	payload, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("it answered %s", answer.Status)
	}
	return goCall{answer.Header, payload}, err
}

func (h Go1) answer(ctx context.Context, client *http.Client, c goCall) error {
	id := callOf(c.header).RequestID
	verb, body := id+"/response", []byte(nil)
	if err := runtime.Safely(h.log(), func() error { return h.handle(ctx, c) }); err != nil {
		verb, body = id+"/error", failure(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url(verb), bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // only its status matters
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("it answered %s", answer.Status)
	}
	return nil
}

func (h Go1) handle(ctx context.Context, c goCall) error {
	switch kind := c.header.Get("x-fc-function-type"); kind {
	case typeHandle, "":
		return h.Functions.Invoke(ctx, callOf(c.header), c.payload)
	case typeInitializer:
		return ready(ctx, h.Ready)
	case typePreStop, typePreFreeze:
		return nil // nothing is held back that would have to be flushed
	default:
		return fmt.Errorf("a call of type %q is not served", kind)
	}
}

func (h Go1) log() *slog.Logger { return cmp.Or(h.Log, slog.Default()) }

func (h Go1) url(path string) string {
	return "http://" + h.API + "/2020-11-11/runtime/invocation/" + path
}
