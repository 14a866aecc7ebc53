package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// patience is how long a write may take before nothing is known of it. With the
// time of a call it stays below what settles one.
const patience = 10 * time.Second

// askAgain is how long an engine may be silent before it is asked again: a leader that
// dies takes what it was asked along, and who leads next knows nothing of it.
const askAgain = 2 * time.Second

// again asks until somebody answers, the context ends or patience does.
func again[T any](ctx context.Context, ask func(context.Context) (T, error)) (answer T, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		once, done := context.WithTimeout(ctx, askAgain)
		answer, err = ask(once)
		done()
		if !silent(err) || ctx.Err() != nil {
			return answer, kind(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// silent tells that nobody answered, or nobody who knows: who did has the same question
// already, or doesn't lead and has not heard yet who does.
func silent(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode == codeSameMessage || api.ErrorCode == codeNotAvailable
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders) ||
		errors.Is(err, jetstream.ErrNoStreamResponse)
}
