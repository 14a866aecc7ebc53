package wire

import (
	"context"
	"errors"
	"net/http"

	"havip-functions/shared/havip"
)

// Cloud is what a cloud's adapter has to do. Its changes ask once, and return what
// the cloud says; [Idempotent] makes of it what [havip.Cloud] promises.
type Cloud interface {
	havip.Cloud
	havip.Fleet
}

// Idempotent reads a HAVIP back, once, after a change that was refused: where it is
// so already, the refusal becomes a yes.
type Idempotent struct {
	Cloud

	// Doubtful tells a refusal that may only say that it is so already.
	Doubtful func(*havip.Error) bool

	// Vague is a cloud whose 404 leaves open which is missing, HAVIP or instance.
	Vague bool
}

// Attach implements [havip.Cloud].
func (c *Idempotent) Attach(ctx context.Context, call havip.Call) (havip.Receipt, error) {
	receipt, err := c.Cloud.Attach(ctx, call)
	if err != nil {
		return c.readBack(ctx, change{call, true}, err)
	}
	return receipt, nil
}

// Detach implements [havip.Cloud].
func (c *Idempotent) Detach(ctx context.Context, call havip.Call) (havip.Receipt, error) {
	receipt, err := c.Cloud.Detach(ctx, call)
	if err != nil {
		return c.readBack(ctx, change{call, false}, err)
	}
	return receipt, nil
}

// Inner is what it wraps: see [havip.SurveyorOf].
func (c *Idempotent) Inner() havip.Fleet { return c.Cloud }

// change is a call, and what it was for.
type change struct {
	havip.Call
	held bool // the instance should hold the HAVIP
}

// readBack leaves a refusal as it is where the HAVIP is not to be read. Where it is,
// a vague 404 means the instance, and what moves may yet become as it was wanted.
func (c *Idempotent) readBack(ctx context.Context, want change, err error) (havip.Receipt, error) {
	var refused *havip.Error
	if !errors.As(err, &refused) || !c.Doubtful(refused) {
		return havip.Receipt{}, err
	}
	have, unread := c.Get(ctx, want.HAVIP)
	switch {
	case errors.Is(unread, havip.ErrBusy): // whether it is so already is open
		return havip.Receipt{}, unread
	case unread != nil:
		return havip.Receipt{}, refused
	case have.On(want.Instance) == want.held:
		return havip.Receipt{RequestID: refused.RequestID}, nil
	}
	if c.Vague && refused.Status == http.StatusNotFound {
		refused.Instance = true
	}
	if have.Moving() {
		refused.Kind = havip.ErrBusy
	}
	return havip.Receipt{}, refused
}
