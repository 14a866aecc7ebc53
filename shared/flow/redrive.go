package flow

import (
	"context"
	"errors"
	"fmt"

	"havip-functions/events"
	"havip-functions/shared/api"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
)

// Redrive tries a dead letter again, because a person says so, and removes it
// once all of its events are durable. One that still can't be read stays, and
// the error is events.ErrInvalid. It may say no more than its sender could, unless
// the person vouches for it as an operator: then the scope is an operator's.
func (f Function) Redrive(ctx context.Context, id, reason string, vouched bool) ([]api.Accepted, error) {
	list, err := f.letter(ctx, id, vouched)
	if err != nil {
		return nil, err
	}
	answers, err := f.acceptAll(ctx, list)
	if err != nil {
		return nil, err
	}
	f.Log.Info("dead letter redriven", "id", id, "reason", reason, "vouched", vouched)
	_, err = f.Ledger.Exhume(ctx, id)
	return answers, err
}

// PlanRedrive tells what Redrive would do first, and changes nothing.
func (f Function) PlanRedrive(ctx context.Context, id string, vouched bool) ([]havip.Plan, error) {
	list, err := f.letter(ctx, id, vouched)
	if err != nil {
		return nil, err
	}
	return plan(ctx, f.Keeper, list)
}

// letter reads the events of a dead letter that may be said.
func (f Function) letter(ctx context.Context, id string, vouched bool) ([]events.Event, error) {
	d, err := f.Ledger.DeadLetter(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("dead letter %.40q: %w; GET /api/deadletters lists them", id, err)
	}
	if d.Size > 0 && len(d.Bytes) == 0 {
		return nil, fmt.Errorf("dead letter %s: %w: its bytes had to make room for newer ones; have it sent again", id, events.ErrInvalid)
	}
	list, err := events.Read(d.Bytes, f.Keeper.Now())
	if err != nil {
		return nil, fmt.Errorf("dead letter %s: %w", id, err)
	}
	scope := min(d.Scope, guard.Operator)
	if vouched {
		scope = guard.Operator
	}
	err = allowed(scope, list)
	if errors.Is(err, guard.ErrForbidden) && allowed(guard.Operator, list) == nil {
		err = fmt.Errorf("%w: it came from a %s, who may not say this; read it (havip dead show %s), and vouch for it with --as-operator", guard.ErrForbidden, d.Scope, id)
	}
	if err != nil {
		return nil, fmt.Errorf("dead letter %s: %w", id, err)
	}
	return list, nil
}
