package host

import (
	"context"
	"net/http"

	"havip-functions/shared/api"
	"havip-functions/shared/console"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
)

// console is the page for people: it shows and does what the API does, by the same
// functions.
func (h *Host) console() *console.Console {
	f := h.function
	return console.New(console.Host{
		Overview: func(ctx context.Context) (api.HAVIPs, error) { return h.overview(ctx, "") },
		Stories:  h.listed, Roster: h.roster, DeadLetters: f.Ledger.DeadLetters, DeadLetter: f.Ledger.DeadLetter,
		Story: func(ctx context.Context, id string) (api.Story, error) {
			s, err := h.find(ctx, id)
			return api.NewStory(s), err
		},
		Plan: func(ctx context.Context, event []byte) ([]havip.Plan, error) { return flow.Plan(ctx, f.Keeper, event) },
		Say:  f.Say, Freeze: h.keepOff, Lift: h.open, PlanRedrive: f.PlanRedrive, Redrive: h.tryAgain,
		Outcomes: h.tail, World: h.config.World,
		Guard: h.config.Guard, Secure: h.secure, From: h.from, Log: h.config.Log,
	})
}

// secure tells whether a request came by TLS, as far as who we trust tells it.
func (h *Host) secure(r *http.Request) bool {
	trusted := (&sources{limits: h.config.Limits}).proxied(prefix(r.RemoteAddr))
	return r.TLS != nil || trusted && r.Header.Get("X-Forwarded-Proto") == "https"
}

// from is where a request came from, as far as who we trust tells it.
func (h *Host) from(r *http.Request) string {
	return (&sources{limits: h.config.Limits}).speaker(r).Addr().String()
}
