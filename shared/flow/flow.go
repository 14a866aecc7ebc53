// Package flow lets an event in and its follow-up out: it reads what arrived,
// hands it to the function that answers it, judges the error, publishes what the
// ledger's outbox holds, and only then acknowledges.
package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// Bus delivers an event now or later, at least once, perhaps early, perhaps
// twice. It keeps no order.
type Bus interface {
	// Publish makes the event durable, to be delivered after so long; 0 and less
	// mean now. It is ErrUnsendable where no further try could do it.
	Publish(ctx context.Context, e cloudevents.Event, after time.Duration) error
}

// ErrUnsendable means that a bus will never take an event: it is too large for it.
var ErrUnsendable = errors.New("no bus takes it")

// Function is one function of ours as every host sees it.
type Function struct {
	Handlers []Handler // the first that answers an event gets it
	Keeper   havip.Keeper
	Ledger   ledger.Ledger
	Bus      Bus
	Desk     *Desk      // shared by what one process does
	Seal     guard.Seal // of what follow-ups carry
	Log      *slog.Logger

	// Ended hears of each story whose outcome is told, perhaps twice, and must not wait;
	// nil is nobody.
	Ended func(havip.Story)

	// Watch is how long an invocation goes on looking at what it began, where the
	// next look is due so soon, before it leaves a follow-up. 0 leaves it at once.
	Watch time.Duration

	// Forgetful says that the ledger ends with the invocation: what only it
	// would keep is handed to the host as a failure instead.
	Forgetful bool
}

// Handler answers the events of one kind. Make it with [On].
type Handler func(context.Context, events.Event) (left []havip.Left, answered bool, err error)

// On makes a handler of a function for events whose data is a D.
func On[D events.Data](handle func(context.Context, events.Event, D) ([]havip.Left, error)) Handler {
	return func(ctx context.Context, e events.Event) ([]havip.Left, bool, error) {
		d, ok := e.Data.(D)
		if !ok {
			return nil, false, nil
		}
		left, err := handle(ctx, e, d)
		return left, true, err
	}
}

// Invoke answers what a host delivered: one event or several, as bytes. After a
// nil error all of it is durable or done; any other asks for redelivery.
func (f Function) Invoke(ctx context.Context, payload []byte) error {
	if err := f.setClock(ctx); err != nil {
		return err
	}
	list, err := events.Read(payload, f.Keeper.Now())
	failed := []error{f.bury(ctx, guard.Operator, payload, err)} // who may invoke us is one
	for _, e := range list {
		_, err := f.Accept(ctx, e)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// setClock goes by the ledger's clock where this machine's is off.
func (f Function) setClock(ctx context.Context) error {
	ahead, news, err := f.Keeper.Clock.Compare(ctx, f.Ledger)
	if news {
		f.Log.Warn("the clocks of this machine and of the ledger differ; we go by the ledger's, set this machine's", "ledgerAhead", ahead.String())
	}
	return err
}

// Accept answers one event that was read already.
func (f Function) Accept(ctx context.Context, e events.Event) ([]havip.Left, error) {
	if waiting, err := f.holdBack(ctx, e); waiting || err != nil {
		return nil, err
	}
	until := f.Keeper.Now().Add(f.Watch)
	left, err := f.handle(ctx, e)
	for i := range left { // also of what failed half-way: it is in the ledger
		if note := left[i].Note; note != "" {
			f.Log.Warn(note, "havip", left[i].HAVIP.ID)
		}
		if left[i].Due != nil {
			f.Desk.await(ctx, left[i].Due.HAVIP.String())
		}
		var failed error
		left[i], failed = f.Keeper.Look(ctx, left[i])
		err = errors.Join(err, failed)
	}
	for i := range left { // each has been looked at once before any is watched
		err = errors.Join(err, f.watch(ctx, &left[i], until), f.flush(ctx, left[i]))
	}
	return left, f.judge(ctx, e, err)
}

func (f Function) handle(ctx context.Context, e events.Event) ([]havip.Left, error) {
	for _, h := range f.Handlers {
		if left, answered, err := h(ctx, e); answered {
			return left, err
		}
	}
	return f.ignore(ctx, e)
}

// ignore remembers what we understand and don't act on. An outcome is nobody's
// to answer: one of an outcome would never end.
func (f Function) ignore(ctx context.Context, e events.Event) ([]havip.Left, error) {
	reason := "nothing follows from a " + e.Type
	switch d := e.Data.(type) {
	case events.Outcome:
		return nil, nil
	case events.Ignored:
		reason = d.Reason
	}
	noted := havip.Event{EventRef: ref(e), Time: e.Time, Arrived: e.Arrived, Trace: trace(e)}
	return f.Keeper.Note(ctx, noted, havip.Ending{Outcome: havip.Ignored, Rule: reason})
}

// judge says what becomes of an error: it is logged here, once. A cloud's no
// reaches us only from a sweep, whose next round asks again.
func (f Function) judge(ctx context.Context, e events.Event, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, events.ErrInvalid):
		return f.bury(ctx, guard.Reporter, again(e), err)
	case saidByCloud(err):
		f.Log.Warn("not answered in full", "event", e.ID, "source", e.Source, "type", e.Type, "error", err)
		return nil
	}
	f.Log.Error("failed, to be redelivered", "event", e.ID, "source", e.Source, "type", e.Type, "error", err)
	return fmt.Errorf("%s %s: %w", e.Type, e.ID, err)
}

// saidByCloud tells whether all that went wrong is a cloud's no: beside an error
// of the ledger or the bus it excuses nothing.
func saidByCloud(err error) bool {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return !slices.ContainsFunc(several.Unwrap(), func(e error) bool { return !saidByCloud(e) })
	}
	return errors.Is(err, havip.ErrBusy) || errors.Is(err, havip.ErrRefused)
}

// bury keeps an event that nobody can read, with its bytes, and acknowledges it:
// no redelivery would cure it. Where the ledger forgets, the host has to keep it.
func (f Function) bury(ctx context.Context, by guard.Scope, payload []byte, cause error) error {
	if cause == nil {
		return nil
	}
	if f.Forgetful {
		f.Log.Error("can't be read", "error", cause)
		return cause
	}
	d := ledger.NewDeadLetter(payload, cause.Error(), f.Keeper.Now())
	d.Scope, d.Type = by, events.Types(payload)
	full, err := f.Ledger.Bury(ctx, d)
	if err != nil {
		return fmt.Errorf("dead letter %s: %w", d.ID, err)
	}
	if full {
		f.Log.Error("there are too many dead letters; the oldest was dropped for a new one", "most", ledger.MaxDead)
	}
	f.Log.Warn("dead letter", "id", d.ID, "scope", by.String(), "reason", cause)
	return nil
}

// again is the event as bytes once more.
func again(e events.Event) []byte {
	ce, err := e.CloudEvent()
	if err != nil {
		return []byte(e.ID)
	}
	bytes, _ := events.Encode(ce) // it was read from JSON
	return bytes
}

func ref(e events.Event) havip.EventRef {
	return havip.EventRef{Source: e.Source, ID: e.ID, Type: e.Type}
}
