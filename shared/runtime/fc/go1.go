package fc

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"havip-functions/shared/runtime"
)

// What the go1 runtime asks for, in x-fc-function-type.
const (
	typeHandle      = "0"
	typeInitializer = "1"
	typePreStop     = "2"
	typePreFreeze   = "3"
)

// Go1 answers Function Compute's go1 runtime: it fetches one call after
// the other and posts what became of each.
type Go1 struct {
	API       string // host:port, as FC_RUNTIME_API names it
	Functions runtime.Functions
	Log       *slog.Logger                // slog.Default() where nil
	Ready     func(context.Context) error // answers the initializer; nil is always ready
}

// Run serves until the context ends, which is no error; a call under way is
// answered first. An error means that the runtime API is gone.
func (h Go1) Run(ctx context.Context) error {
	client := &http.Client{Transport: &http.Transport{}} // no proxy and no time-out: calls are awaited
	defer client.CloseIdleConnections()
	for {
		next, err := h.next(ctx, client)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the next call can't be fetched from %s: %w", h.API, err)
		}
		if err := h.answer(context.WithoutCancel(ctx), client, next); err != nil {
			return fmt.Errorf("call %s can't be answered at %s: %w", callOf(next.header).RequestID, h.API, err)
		}
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
	if err := runtime.Safely(cmp.Or(h.Log, slog.Default()), func() error { return h.handle(ctx, c) }); err != nil {
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

func (h Go1) url(path string) string {
	return "http://" + h.API + "/2020-11-11/runtime/invocation/" + path
}
