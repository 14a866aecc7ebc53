package flow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"havip-functions/events"
	"havip-functions/shared/api"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
)

// Door lets events in over HTTP: POST with one CloudEvent, a batch, or a cloud's
// own shape, from senders that its Guard believes and who may say them. Its 202
// means that all of them are durable.
type Door struct {
	Function Function
	Guard    guard.Guard // the zero one believes who is on this machine
	Log      *slog.Logger
}

// answerTime is what a door gives itself to make events durable. Who hears
// nothing for so long sends again.
const answerTime = 30 * time.Second

// ServeHTTP implements [http.Handler].
func (d Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodOptions && r.Header.Get("WebHook-Request-Origin") != "":
		d.handshake(w, r)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		api.Refuse(w, http.StatusMethodNotAllowed, "", "events come by POST")
	default:
		d.take(w, r)
	}
}

func (d Door) take(w http.ResponseWriter, r *http.Request) {
	scope, body, ok := d.proven(w, r)
	if !ok {
		return
	}
	ctx, cancel := unhung(r.Context())
	defer cancel()
	if err := d.Function.setClock(ctx); err != nil {
		d.Log.Error("nothing can be judged yet, to be sent again", "error", err)
		later(w)
		return
	}
	list, err := events.ReadHTTP(r.Header, body, d.Function.Keeper.Now())
	if err != nil {
		d.keep(ctx, scope, events.Structured(r.Header, body), err)
		d.refuse(w, err)
		return
	}
	if err := allowed(scope, list); err != nil {
		TurnAway(w, r, err, d.Log)
		return
	}
	answers, err := d.Function.acceptAll(ctx, list)
	if err != nil {
		later(w)
		return
	}
	status := http.StatusAccepted
	if slices.ContainsFunc(list, events.Event.IsAlarm) {
		status = http.StatusOK // the clouds' monitors take nothing else for an answer
	}
	api.Answer(w, status, api.Taken{Accepted: answers})
}

func later(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	api.Refuse(w, http.StatusServiceUnavailable, "", "the event could not be made durable; send it again")
}

// allowed tells whether the scope may say all of the events. Of a batch with one
// that it may not nothing is taken.
func allowed(scope guard.Scope, list []events.Event) error {
	for _, e := range list {
		if err := scope.Check(e.Type, needs(e)); err != nil {
			return fmt.Errorf("event %.64q: %w", e.ID, err)
		}
	}
	return nil
}

func needs(e events.Event) guard.Scope {
	switch e.Data.(type) {
	case events.StatusCheck:
		return guard.Ourselves
	case events.Recover, events.Sweep:
		return guard.Operator
	}
	return guard.Reporter
}

// proven reads the body of a request by a sender of ours. It has answered any
// other, before the body where it can: a stranger's costs no memory.
func (d Door) proven(w http.ResponseWriter, r *http.Request) (guard.Scope, []byte, bool) {
	if !d.Guard.NeedsBody(r) {
		if _, err := d.speaks(r, nil); err != nil {
			TurnAway(w, r, err, d.Log)
			return guard.Stranger, nil, false
		}
	}
	if r.ContentLength > events.MaxBatch { // said before it is sent
		d.unreadable(w, &http.MaxBytesError{Limit: events.MaxBatch})
		return guard.Stranger, nil, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, events.MaxBatch))
	if err != nil {
		d.unreadable(w, err)
		return guard.Stranger, nil, false
	}
	scope, err := d.speaks(r, body)
	if err != nil {
		TurnAway(w, r, err, d.Log)
		return guard.Stranger, nil, false
	}
	return scope, body, true
}

// speaks is the scope of a sender who may say anything at all.
func (d Door) speaks(r *http.Request, body []byte) (guard.Scope, error) {
	scope, err := d.Guard.Prove(r, body)
	if err == nil {
		err = scope.Check("an event", guard.Reporter)
	}
	return scope, err
}

// TurnAway answers a request whose proof is not enough, and writes it down. The
// log has the address and the reason, never what was sent as proof.
func TurnAway(w http.ResponseWriter, r *http.Request, err error, log *slog.Logger) {
	log.Warn("turned away", "from", r.RemoteAddr, "method", fmt.Sprintf("%.20s", r.Method), "path", r.Pattern, "error", err)
	switch {
	case errors.Is(err, guard.ErrUnproven):
		w.Header().Set("WWW-Authenticate", "Bearer")
		api.Refuse(w, http.StatusUnauthorized, "", err.Error())
	case errors.Is(err, guard.ErrForbidden):
		api.Refuse(w, http.StatusForbidden, "", err.Error())
	default:
		w.Header().Set("Retry-After", "5")
		api.Refuse(w, http.StatusServiceUnavailable, "", "the proof could not be checked; send it again")
	}
}

// allowedRate is what the handshake grants, in requests a minute.
const allowedRate = "6000"

// handshake answers a sender that announces its webhook. It calls no URL that
// the sender names.
//
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection
func (d Door) handshake(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", http.MethodPost)
	origin := r.Header.Get("WebHook-Request-Origin")
	if !d.Guard.Allows(origin) {
		d.Log.Warn("webhook refused", "from", r.RemoteAddr, "origin", fmt.Sprintf("%.100s", origin))
		api.Refuse(w, http.StatusForbidden, "", "this origin is not allowed; add it to HAVIP_WEBHOOK_ORIGINS")
		return
	}
	w.Header().Set("WebHook-Allowed-Origin", origin)
	w.Header().Set("WebHook-Allowed-Rate", allowedRate)
	w.WriteHeader(http.StatusOK)
}

// unhung outlives a sender that hangs up, because what it sent is taken in all
// the same, but not the time that it was given.
func unhung(ctx context.Context) (context.Context, context.CancelFunc) {
	until := time.Now().Add(answerTime)
	if deadline, limited := ctx.Deadline(); limited && deadline.Before(until) {
		until = deadline
	}
	return context.WithDeadline(context.WithoutCancel(ctx), until)
}

// Say takes in one event of an operator who has proven himself, as the door does.
func (f Function) Say(ctx context.Context, payload []byte) ([]api.Accepted, error) {
	ctx, cancel := unhung(ctx)
	defer cancel()
	if err := f.setClock(ctx); err != nil {
		return nil, err
	}
	list, err := events.Read(payload, f.Keeper.Now())
	if err == nil {
		err = allowed(guard.Operator, list)
	}
	if err != nil {
		return nil, err
	}
	return f.acceptAll(ctx, list)
}

func (f Function) acceptAll(ctx context.Context, list []events.Event) ([]api.Accepted, error) {
	answers := make([]api.Accepted, 0, len(list))
	for _, e := range list {
		admitted, err := f.Accept(ctx, e)
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer(e, admitted))
	}
	return answers, nil
}

func answer(e events.Event, admitted []havip.Left) api.Accepted {
	a := api.Accepted{Source: e.Source, ID: e.ID, Stories: []string{}}
	for _, one := range admitted {
		a.Duplicate = a.Duplicate || one.Duplicate
		if one.Story != "" {
			a.Stories = append(a.Stories, one.Story)
		}
	}
	return a
}

func (d Door) unreadable(w http.ResponseWriter, err error) {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		api.Refuse(w, http.StatusRequestEntityTooLarge, "", "the body is too large; send fewer events at once")
		return
	}
	api.Refuse(w, http.StatusBadRequest, "", "the body ended early; send it again")
}

// keep makes a dead letter of what a sender of ours wrote and nobody can read:
// few senders tell anybody that we refused it. What is too large or of another
// kind altogether is only refused.
func (d Door) keep(ctx context.Context, by guard.Scope, body []byte, cause error) {
	if d.Function.Forgetful || len(body) == 0 || errors.Is(cause, events.ErrTooLarge) || errors.Is(cause, events.ErrMediaType) {
		return
	}
	if err := d.Function.bury(ctx, by, body, cause); err != nil {
		d.Log.Warn("not kept as a dead letter", "error", err)
	}
}

func (d Door) refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	switch {
	case errors.Is(err, events.ErrTooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, events.ErrMediaType):
		status = http.StatusUnsupportedMediaType
	}
	member := ""
	if named := (*events.Error)(nil); errors.As(err, &named) {
		member = named.Member
	}
	d.Log.Info("event refused", "status", status, "error", err)
	api.Refuse(w, status, member, err.Error())
}
