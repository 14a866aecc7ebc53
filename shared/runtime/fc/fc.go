// Package fc runs the functions on Function Compute: it answers the custom and the
// go1 runtime, and sends follow-ups by asynchronous invocation.
package fc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"

	"havip-functions/shared/runtime"
)

// maxPayload bounds what one call may hold: several times the 128 KB of an
// asynchronous event, so that a batch fits.
const maxPayload = 1 << 20

// Custom answers Function Compute's custom runtime: POST /invoke,
// /initialize and /pre-stop. Each answer carries x-fc-status, without which FC
// would count a failure as a success and neither retry nor dead-letter it.
type Custom struct {
	Functions runtime.Functions
	Log       *slog.Logger                // slog.Default() where nil
	Ready     func(context.Context) error // answers /initialize; nil is always ready
	Lines     io.Writer                   // takes FC's own log lines; os.Stdout where nil

	// Web, where set, is all that is served: the handler of a function with an
	// HTTP trigger, through which anybody could forge an /invoke.
	Web runtime.Web
}

// ServeHTTP answers one call. A failure, a panic included, is a 404 with
// x-fc-status 404 and one line of JSON.
func (h Custom) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := runtime.Safely(h.log(), func() error { return h.answer(w, r) })
	switch {
	case err != nil:
		respond(w, http.StatusNotFound)
		w.Write(failure(err)) //nolint:errcheck // FC is gone, there is nobody to tell
	case h.Web == nil: // which has answered itself
		respond(w, http.StatusOK)
	}
}

func (h Custom) answer(w http.ResponseWriter, r *http.Request) error {
	if h.Web != nil {
		return h.serveWeb(w, r)
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /invoke":
		return h.invoke(w, r)
	case "POST /initialize":
		return ready(r.Context(), h.Ready)
	case "POST /pre-stop":
		return nil
	default:
		return fmt.Errorf("%s %s is not served; POST an event to /invoke", r.Method, r.URL.EscapedPath())
	}
}

func (h Custom) invoke(w http.ResponseWriter, r *http.Request) error {
	call := callOf(r.Header)
	h.line("Start", call)
	defer h.line("End", call)
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return fmt.Errorf("the event is larger than %d bytes; send a smaller one", tooLarge.Limit)
	}
	if err != nil {
		return fmt.Errorf("the event could not be read to its end: %w", err)
	}
	return h.Functions.Invoke(r.Context(), call, payload)
}

// serveWeb leaves the status to the handler: what it refuses is the sender's
// fault, so to FC the call went well.
func (h Custom) serveWeb(w http.ResponseWriter, r *http.Request) error {
	call := callOf(r.Header)
	ctx, cancel := call.Within(r.Context())
	defer cancel()
	handler, err := h.Web(ctx, call)
	if err != nil {
		return err
	}
	w.Header().Set("x-fc-status", "200")
	handler.ServeHTTP(w, r.WithContext(ctx))
	return nil
}

// line writes one of the lines that FC cuts its logs by.
func (h Custom) line(word string, call runtime.Call) {
	lines := h.Lines
	if lines == nil {
		lines = os.Stdout
	}
	fmt.Fprintf(lines, "FC Invoke %s RequestId: %s\n", word, call.RequestID)
}

func (h Custom) log() *slog.Logger { return cmp.Or(h.Log, slog.Default()) }

func respond(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("x-fc-status", fmt.Sprint(status))
	w.WriteHeader(status)
}

func ready(ctx context.Context, f func(context.Context) error) error {
	if f == nil {
		return nil
	}
	return f(ctx)
}
