package pace

import (
	"context"

	"havip-functions/shared/havip"
)

// turns are those of one method of a cloud: it waits once. Its further calls,
// such as the other pages of a list, go before all who wait.
type turns struct {
	limiter *limiter
	first   class
	calls   int
}

func (a *account) turns(first class) *turns {
	return &turns{limiter: &a.limiter, first: first}
}

// in is the context of the method's calls.
func (t *turns) in(ctx context.Context) context.Context {
	return havip.WithGate(ctx, func(ctx context.Context) (func(error), error) {
		c := t.first
		if t.calls > 0 {
			c = underWay
		}
		t.calls++
		return t.limiter.enter(ctx, c)
	})
}

// read repeats a reading that was throttled, while its context lasts: to decide
// on what is not known would be worse than to decide later.
func read[T any](ctx context.Context, t *turns, do func(context.Context) (T, error)) (T, error) {
	for {
		found, err := do(t.in(ctx))
		if !Throttled(err) || ctx.Err() != nil {
			return found, err
		}
	}
}

func classOf(ctx context.Context) class {
	switch havip.UrgencyOf(ctx) {
	case havip.Urgent:
		return urgent
	case havip.Patient:
		return patient
	case havip.Routine:
		return routine
	default:
		return routine
	}
}
