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
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// Bus delivers an event now or later, at least once, perhaps early, perhaps
// twice. It keeps no order.
type Bus interface {
	// Publish makes the event durable, to be delivered at the given time; the
	// zero time and any in the past mean now.
	Publish(ctx context.Context, e cloudevents.Event, at time.Time) error
}

// Function is one function of ours as every host sees it.
type Function struct {
	Handlers []Handler // the first that answers an event gets it
	Keeper   havip.Keeper
	Ledger   ledger.Ledger
	Bus      Bus
	Log      *slog.Logger

	// Watch is how long an invocation goes on looking at what it began, where the
	// next look is due so soon, before it leaves a follow-up. 0 leaves it at once.
	Watch time.Duration

	// Forgetful says that the ledger ends with the invocation: what only it
	// would keep is handed to the host as a failure instead.
	Forgetful bool
}

// Handler answers the events of one kind. Make it with [On].
type Handler func(context.Context, events.Event) (admitted []havip.Admission, answered bool, err error)

// On makes a handler of a function for events whose data is a D.
func On[D events.Data](handle func(context.Context, events.Event, D) ([]havip.Admission, error)) Handler {
	return func(ctx context.Context, e events.Event) ([]havip.Admission, bool, error) {
		d, ok := e.Data.(D)
		if !ok {
			return nil, false, nil
		}
		admitted, err := handle(ctx, e, d)
		return admitted, true, err
	}
}

// Invoke answers what a host delivered: one event or several, as bytes. After a
// nil error all of it is durable or done; any other asks for redelivery.
func (f Function) Invoke(ctx context.Context, payload []byte) error {
	list, err := events.Read(payload, time.Now().UTC())
	failed := []error{f.bury(ctx, payload, err)}
	for _, e := range list {
		_, err := f.Accept(ctx, e)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// Accept answers one event that was read already.
func (f Function) Accept(ctx context.Context, e events.Event) ([]havip.Admission, error) {
	if waiting, err := f.early(ctx, e); waiting || err != nil {
		return nil, err
	}
	until := time.Now().Add(f.Watch)
	admitted, err := f.handle(ctx, e)
	for _, a := range admitted {
		if a.Note != "" {
			f.Log.Warn(a.Note, "havip", a.HAVIP.ID)
		}
	}
	for _, a := range admitted { // also of what failed half-way: it is in the ledger
		err = errors.Join(err, f.watch(ctx, a, until), f.flush(ctx, a.Ledger))
	}
	return admitted, f.judge(ctx, e, err)
}

func (f Function) handle(ctx context.Context, e events.Event) ([]havip.Admission, error) {
	for _, h := range f.Handlers {
		if admitted, answered, err := h(ctx, e); answered {
			return admitted, err
		}
	}
	return f.ignore(ctx, e)
}

// ignore remembers what we understand and don't act on. An outcome is nobody's
// to answer: one of an outcome would never end.
func (f Function) ignore(ctx context.Context, e events.Event) ([]havip.Admission, error) {
	reason := "nothing follows from a " + e.Type
	switch d := e.Data.(type) {
	case events.Outcome:
		return nil, nil
	case events.Ignored:
		reason = d.Reason
	}
	noted := havip.Event{EventRef: ref(e), Time: e.Time, Arrived: e.Arrived, Trace: trace(e)}
	return f.Keeper.Note(ctx, noted, havip.Story{Outcome: havip.Ignored, Rule: reason})
}

// judge says what becomes of an error: it is logged here, once. A cloud's no
// reaches us only from a sweep, whose next round asks again.
func (f Function) judge(ctx context.Context, e events.Event, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, events.ErrInvalid):
		return f.bury(ctx, again(e), err)
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
func (f Function) bury(ctx context.Context, payload []byte, cause error) error {
	if cause == nil {
		return nil
	}
	if f.Forgetful {
		f.Log.Error("can't be read", "error", cause)
		return cause
	}
	d := ledger.NewDeadLetter(payload, cause.Error(), time.Now().UTC())
	if err := f.Ledger.Bury(ctx, d); err != nil {
		return fmt.Errorf("dead letter %s: %w", d.ID, err)
	}
	f.Log.Warn("dead letter", "id", d.ID, "reason", cause)
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
