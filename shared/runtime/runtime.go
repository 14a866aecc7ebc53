// Package runtime completes the functions for whatever host runs them: what a host
// says of a call, what the environment sets, and where the outcomes go.
package runtime

import (
	"context"
	"net/http"
	"time"

	"havip-functions/shared/havip"
)

// margin is what a call keeps of its time to answer its host.
const margin = time.Second

// Call is what a host says of one invocation.
type Call struct {
	RequestID   string
	Region      string
	AccountID   string
	Function    string            // its deployed name, havip-status-check
	Retry       int               // how often the host tried it before
	Credentials havip.Credentials // of this call only; empty where the ambient ones serve
	Deadline    time.Time         // when the answer must be ready; zero where the host sets none
}

// Invoker is a function: it returns nil once the payload has had its effect,
// and an error where the host should deliver it again.
type Invoker interface {
	Invoke(ctx context.Context, payload []byte) error
}

// Functions builds the function for one call, whose credentials and name are
// its own. Hosts call it concurrently.
type Functions func(context.Context, Call) (Invoker, error)

// Web builds the handler of a function with a web door, for one call.
type Web func(context.Context, Call) (http.Handler, error)

// Invoke builds the function of the call and invokes it within the call's time.
func (f Functions) Invoke(ctx context.Context, call Call, payload []byte) error {
	ctx, cancel := call.Within(ctx)
	defer cancel()
	function, err := f(ctx, call)
	if err != nil {
		return err
	}
	return function.Invoke(ctx, payload)
}

// Within bounds the context by the call's deadline.
func (c Call) Within(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.Deadline.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, c.Deadline)
}

// AnswerBy is a deadline with the margin off, or with half of what is left where
// that is a second or two.
func AnswerBy(deadline, now time.Time) time.Time {
	return deadline.Add(-min(margin, max(0, deadline.Sub(now)/2)))
}

// Over tells that the call's time is up.
func (c Call) Over() bool { return !c.Deadline.IsZero() && !time.Now().Before(c.Deadline) }
