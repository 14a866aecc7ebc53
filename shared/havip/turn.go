package havip

import "context"

// Urgency orders the calls to a cloud that wait for their turn.
type Urgency int

// The urgencies, the most urgent first.
const (
	Urgent  Urgency = iota // nobody healthy holds the HAVIP
	Routine                // somebody does
	Patient                // nobody waits for it: a sweep
)

type urgencyKey struct{}

// WithUrgency says how urgent the calls under the context are.
func WithUrgency(ctx context.Context, u Urgency) context.Context {
	return context.WithValue(ctx, urgencyKey{}, u)
}

// UrgencyOf is what WithUrgency said, else Routine.
func UrgencyOf(ctx context.Context) Urgency {
	if u, said := ctx.Value(urgencyKey{}).(Urgency); said {
		return u
	}
	return Routine
}

// Gate lets one call after another through to a cloud. It returns once it is the
// call's turn, and is told by leave how the call went; or it returns an
// [ErrBusy], and the call must not be made.
type Gate func(ctx context.Context) (leave func(error), err error)

type gateKey struct{}

// WithGate puts a gate before each call to a cloud under the context.
func WithGate(ctx context.Context, g Gate) context.Context {
	return context.WithValue(ctx, gateKey{}, g)
}

// Enter goes through the context's gate. An adapter does so once for every
// request that it sends, since one method may take several.
func Enter(ctx context.Context) (leave func(error), err error) {
	if g, closed := ctx.Value(gateKey{}).(Gate); closed {
		return g(ctx)
	}
	return func(error) {}, nil
}

// Tally hears of each call to a cloud how it went: where, its operation in the cloud's
// own name, and the error.
type Tally func(region, op string, err error)

type tallyKey struct{}

// WithTally lets somebody hear of the calls to a cloud under the context.
func WithTally(ctx context.Context, t Tally) context.Context {
	return context.WithValue(ctx, tallyKey{}, t)
}

// Tell tells whoever wants to hear of it how a call went.
func Tell(ctx context.Context, region, op string, err error) {
	if t, hears := ctx.Value(tallyKey{}).(Tally); hears {
		t(region, op, err)
	}
}
