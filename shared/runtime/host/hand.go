package host

import (
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
	if !h.byHand(w, r, audit.Deed{Kind: "redrive", Reason: why.Reason, What: map[string]any{"letter": id, "asOperator": why.AsOperator}}) {
		return
	}
	accepted, err := h.function.Redrive(r.Context(), id, why.Reason, why.AsOperator)
	if err != nil {
		hindrance(w, err)
		return
	}
	answer(w, api.Taken{Accepted: accepted})
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
	if !h.byHand(w, r, audit.Deed{Kind: "freeze", HAVIP: f.HAVIP, Actor: f.Actor, Reason: f.Reason, What: f}) {
		return
	}
	frozen, err := h.function.Keeper.Freeze(r.Context(), f.HAVIP, havip.Freeze{Until: f.Until, Reason: f.Reason, Actor: f.Actor})
	switch {
	case err != nil:
		unavailable(w, err)
	case len(frozen) == 0:
		api.Refuse(w, http.StatusNotFound, "havip", f.HAVIP+" is not on the roster")
	default:
		h.config.Log.Warn("frozen", "havips", frozen, "until", f.Until, "reason", f.Reason, "actor", f.Actor)
		answer(w, api.Frozen{Frozen: frozen})
	}
}

// lift opens the brake on failovers.
func (h *Host) lift(w http.ResponseWriter, r *http.Request) {
	if !h.byHand(w, r, audit.Deed{Kind: "lift"}) {
		return
	}
	lifted, err := h.function.Keeper.Lift(r.Context())
	if err != nil {
		unavailable(w, err)
		return
	}
	h.config.Log.Warn("brake lifted", "where", lifted)
	answer(w, api.Lifted{Lifted: lifted})
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
