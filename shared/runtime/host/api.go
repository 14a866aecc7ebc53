package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"havip-functions/events"
	"havip-functions/shared/api"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/runtime"
)

func (h *Host) handler() http.Handler {
	mux := http.NewServeMux()
	door := flow.Door{Function: h.function, Guard: h.config.Guard, Log: h.config.Log}
	mux.Handle("/events", door)
	mux.Handle("/events/{token}", door) // for senders that can't set a header
	mux.HandleFunc("GET /schemas/{name}", schemas)
	mux.HandleFunc("GET /api/havips", h.havips)
	mux.HandleFunc("GET /api/roster", h.rostered)
	mux.HandleFunc("GET /api/stories", h.stories)
	mux.HandleFunc("GET /api/stories/{id}", h.story)
	mux.HandleFunc("GET /api/deadletters", h.deadLetters)
	mux.HandleFunc("GET /api/deadletters/{id}", h.deadLetter)
	mux.HandleFunc("POST /api/deadletters/{id}/redrive", h.redrive)
	mux.HandleFunc("POST /api/plan", h.plan)
	mux.HandleFunc("POST /api/freeze", h.freeze)
	mux.HandleFunc("POST /api/lift", h.lift)
	mux.HandleFunc("GET /api/audit", h.audited)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", h.ready)
	mux.Handle("GET /metrics", h.metrics.handler())
	mux.Handle("/", h.page)
	inner := h.entrance(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := runtime.Safely(h.config.Log, func() error { inner.ServeHTTP(w, r); return nil })
		if err != nil {
			api.Refuse(w, http.StatusInternalServerError, "", "an error of ours; see the log")
		}
	})
}

func (h *Host) havips(w http.ResponseWriter, r *http.Request) {
	list, err := h.overview(r.Context(), r.URL.Query().Get("havip"))
	if err != nil {
		unavailable(w, err)
		return
	}
	answer(w, list)
}

// overview is how the HAVIPs stand that pick names, all for an empty one.
func (h *Host) overview(ctx context.Context, pick string) (api.HAVIPs, error) {
	closed, err := h.function.Keeper.Closed(ctx)
	if err != nil {
		return api.HAVIPs{}, err
	}
	list := api.HAVIPs{Brakes: closed, HAVIPs: h.function.Keeper.Status(ctx, pick)}
	if err := h.refused(); err != nil {
		list.RosterRefused = err.Error()
	}
	for i, v := range list.HAVIPs {
		if v.Last == nil { // the record has no room for it beside an open one
			list.HAVIPs[i].Last = h.last(ctx, havip.Key{Cloud: v.Cloud, Region: v.Region, ID: v.ID})
		}
	}
	return list, nil
}

// last is the newest archived story of a HAVIP; nil where there is none, or where the
// ledger is away, which the view tells itself.
func (h *Host) last(ctx context.Context, k havip.Key) *havip.LastView {
	ended, _, err := h.function.Ledger.Stories(ctx, k.String(), "", 1)
	if err != nil || len(ended) == 0 {
		return nil
	}
	return ended[0].Last()
}

// rostered says by which roster the host goes.
func (h *Host) rostered(w http.ResponseWriter, _ *http.Request) { answer(w, h.roster()) }

func (h *Host) roster() api.Roster {
	list := api.Roster{HAVIPs: []api.Rostered{}}
	for _, p := range h.config.Roster.Policies() {
		list.Hash, list.HAVIPs = p.Roster, append(list.HAVIPs, api.NewRostered(p))
	}
	if err := h.refused(); err != nil {
		list.Refused = err.Error()
	}
	return list
}

// refused is why a newer roster than the one that serves does not; nil where it does,
// or where the roster can't change.
func (h *Host) refused() error {
	if file, follows := h.config.Roster.(interface{ Refused() error }); follows {
		return file.Refused()
	}
	return nil
}

const page = 100

func (h *Host) stories(w http.ResponseWriter, r *http.Request) {
	list, err := h.listed(r.Context(), r.URL.Query().Get("havip"), r.URL.Query().Get("next"))
	if err != nil {
		hindrance(w, err)
		return
	}
	answer(w, list)
}

// listed are the stories, the newest first: on the first page what is open, or ended
// and not yet archived, then the archive from where next says.
func (h *Host) listed(ctx context.Context, pick, from string) (api.Stories, error) {
	policies := slices.DeleteFunc(h.config.Roster.Policies(), func(p havip.Policy) bool {
		return pick != "" && pick != p.ID && pick != p.Name
	})
	list, key := api.Stories{Stories: []api.Story{}}, ""
	if pick != "" {
		if len(policies) == 0 {
			return list, nil
		}
		key = policies[0].Key().String()
	}
	var fresh []havip.Story
	var err error
	if from == "" {
		fresh, err = h.unarchived(ctx, policies)
	}
	archived, next, failed := h.function.Ledger.Stories(ctx, key, from, page)
	if err = cmp.Or(err, failed); err != nil {
		return list, err
	}
	known := func(s havip.Story) bool {
		return slices.ContainsFunc(fresh, func(f havip.Story) bool { return f.ID == s.ID })
	}
	for _, s := range append(fresh, slices.DeleteFunc(archived, known)...) {
		list.Stories = append(list.Stories, api.NewStory(s))
	}
	list.Next = next
	return list, nil
}

// unarchived are the stories that only the records have: the open ones, and those
// whose outcome is not told yet.
func (h *Host) unarchived(ctx context.Context, policies []havip.Policy) (found []havip.Story, err error) {
	for _, p := range policies {
		r, _, err := havip.Load[havip.Record](ctx, h.function.Ledger, p.Key().String())
		if err != nil {
			return nil, err
		}
		for _, s := range r.Stories() {
			if s.Open() || slices.ContainsFunc(r.Outbox, func(l havip.Message) bool { return l.Ended == s.ID }) {
				found = append(found, s)
			}
		}
	}
	return found, nil
}

func (h *Host) story(w http.ResponseWriter, r *http.Request) {
	s, err := h.find(r.Context(), r.PathValue("id"))
	if err != nil {
		hindrance(w, err)
		return
	}
	answer(w, api.NewStory(s))
}

// find returns one story: from the record of its HAVIP, of the event that it is
// named after, or from the archive.
func (h *Host) find(ctx context.Context, id string) (havip.Story, error) {
	if !havip.IsStoryID(id) {
		return havip.Story{}, noStory(id)
	}
	for _, p := range h.config.Roster.Index().Shelved(id) {
		for _, key := range []string{p.Key().String(), havip.EventKey(id)} {
			r, _, err := havip.Load[havip.Record](ctx, h.function.Ledger, key)
			if err != nil {
				return havip.Story{}, err
			}
			for _, s := range r.Stories() {
				if s.ID == id {
					return s, nil
				}
			}
		}
	}
	s, err := h.function.Ledger.Story(ctx, id)
	if errors.Is(err, ledger.ErrNotFound) {
		err = noStory(id)
	}
	return s, err
}

func noStory(id string) error {
	return fmt.Errorf("%w: no story %.40q; GET /api/stories lists them", ledger.ErrNotFound, id)
}

func (h *Host) deadLetters(w http.ResponseWriter, r *http.Request) {
	letters, err := h.function.Ledger.DeadLetters(r.Context())
	if err != nil {
		unavailable(w, err)
		return
	}
	if letters == nil {
		letters = []ledger.DeadLetter{}
	}
	answer(w, api.DeadLetters{DeadLetters: letters})
}

// deadLetter is one with its bytes.
func (h *Host) deadLetter(w http.ResponseWriter, r *http.Request) {
	d, err := h.function.Ledger.DeadLetter(r.Context(), r.PathValue("id"))
	if err != nil {
		hindrance(w, fmt.Errorf("dead letter %.40q: %w; GET /api/deadletters lists them", r.PathValue("id"), err))
		return
	}
	answer(w, d)
}

// plan says what an event would do first, and changes nothing.
func (h *Host) plan(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, events.MaxEvent))
	if err != nil {
		api.Refuse(w, http.StatusRequestEntityTooLarge, "", "the event is too large")
		return
	}
	plans, err := flow.Plan(r.Context(), h.function.Keeper, body)
	switch {
	case errors.Is(err, events.ErrInvalid):
		api.Refuse(w, http.StatusBadRequest, "", err.Error())
	case err != nil:
		unavailable(w, err)
	default:
		answer(w, api.Plans{Plans: plans})
	}
}

// readyTime bounds what a look at the engine takes: a stream that nobody leads says
// nothing at all.
const readyTime = 2 * time.Second

func (h *Host) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	if err := cmp.Or(h.streams.Takes(ctx, h.bus.requests, h.bus.outcomes), h.engine.health()); err != nil {
		unavailable(w, err)
		return
	}
	if err := h.refused(); err != nil { // what was good serves on: who would restart us would lose even that
		_, _ = io.WriteString(w, "ready, by the last good roster: "+err.Error()+"\n")
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}

func unavailable(w http.ResponseWriter, err error) {
	api.Refuse(w, http.StatusServiceUnavailable, "", err.Error())
}

func answer(w http.ResponseWriter, v any) { api.Answer(w, http.StatusOK, v) }
