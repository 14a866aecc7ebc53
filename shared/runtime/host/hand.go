package host

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"havip-functions/events"
	"havip-functions/shared/api"
	"havip-functions/shared/audit"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// This is what people do by hand: redrive, freeze, lift.

// take decodes a person's request, or answers that it can't.
func take[T any](w http.ResponseWriter, r *http.Request) (T, bool) {
	var v T
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		api.Refuse(w, http.StatusBadRequest, "", "the request can't be read: "+err.Error())
		return v, false
	}
	return v, true
}

// redrive tries a dead letter again; without a reason it only tells what that
// would do.
func (h *Host) redrive(w http.ResponseWriter, r *http.Request) {
	why, ok := take[api.Redriving](w, r)
	if !ok {
		return
	}
	id := r.PathValue("id")
	if why.Reason == "" {
		plans, err := h.function.PlanRedrive(r.Context(), id, why.AsOperator)
		if err != nil {
			hindrance(w, err)
			return
		}
		answer(w, api.Plans{Plans: plans})
		return
	}
	accepted, err := h.tryAgain(r.Context(), id, why)
	if err != nil {
		hindrance(w, err)
		return
	}
	answer(w, api.Taken{Accepted: accepted})
}

func (h *Host) tryAgain(ctx context.Context, id string, why api.Redriving) ([]api.Accepted, error) {
	deed := audit.Deed{Kind: "redrive", Actor: why.Actor, Reason: why.Reason, What: map[string]any{"letter": id, "asOperator": why.AsOperator}}
	if err := h.byHand(ctx, deed); err != nil {
		return nil, err
	}
	return h.function.Redrive(ctx, id, why.Reason, why.AsOperator)
}

func (h *Host) freeze(w http.ResponseWriter, r *http.Request) {
	f, ok := take[api.Freezing](w, r)
	if !ok {
		return
	}
	if (f.HAVIP == "") != f.All || f.Reason == "" || f.Until.IsZero() {
		api.Refuse(w, http.StatusBadRequest, "", "name one havip or all, until and reason")
		return
	}
	frozen, err := h.keepOff(r.Context(), f)
	switch {
	case err != nil:
		unavailable(w, err)
	case len(frozen.Frozen) == 0:
		api.Refuse(w, http.StatusNotFound, "havip", f.HAVIP+" is not on the roster")
	default:
		answer(w, frozen)
	}
}

func (h *Host) keepOff(ctx context.Context, f api.Freezing) (api.Frozen, error) {
	if err := h.byHand(ctx, audit.Deed{Kind: "freeze", HAVIP: f.HAVIP, Actor: f.Actor, Reason: f.Reason, What: f}); err != nil {
		return api.Frozen{}, err
	}
	frozen, err := h.function.Keeper.Freeze(ctx, f.HAVIP, havip.Freeze{Until: f.Until, Reason: f.Reason, Actor: f.Actor})
	if len(frozen) > 0 {
		h.config.Log.Warn("frozen", "havips", frozen, "until", f.Until, "reason", f.Reason, "actor", f.Actor)
	}
	return api.Frozen{Frozen: frozen}, err
}

func (h *Host) lift(w http.ResponseWriter, r *http.Request) {
	var l api.Lifting
	if r.ContentLength != 0 { // it may come without a word
		var ok bool
		if l, ok = take[api.Lifting](w, r); !ok {
			return
		}
	}
	lifted, err := h.open(r.Context(), l)
	if err != nil {
		unavailable(w, err)
		return
	}
	answer(w, lifted)
}

// open opens the brake on failovers.
func (h *Host) open(ctx context.Context, l api.Lifting) (api.Lifted, error) {
	if err := h.byHand(ctx, audit.Deed{Kind: "lift", Actor: l.Actor, Reason: l.Reason}); err != nil {
		return api.Lifted{}, err
	}
	lifted, err := h.function.Keeper.Lift(ctx)
	if err == nil {
		h.config.Log.Warn("brake lifted", "where", lifted, "actor", l.Actor)
	}
	return api.Lifted{Lifted: lifted}, err
}

func hindrance(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		api.Refuse(w, http.StatusNotFound, "id", err.Error())
	case errors.Is(err, events.ErrInvalid):
		api.Refuse(w, http.StatusBadRequest, "", err.Error())
	case errors.Is(err, guard.ErrForbidden):
		api.Refuse(w, http.StatusForbidden, "", err.Error())
	default:
		unavailable(w, err)
	}
}
