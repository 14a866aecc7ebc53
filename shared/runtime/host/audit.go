package host

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/shared/api"
	"havip-functions/shared/audit"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// auditor hears the outcomes, and writes down the stories that called a cloud to change
// something, or that a person asked for. A story keeps all that an entry tells, so nothing
// on the way of an event knows of it.
type auditor struct{ host *Host }

// Publish implements [flow.Bus].
func (a auditor) Publish(ctx context.Context, e cloudevents.Event, _ time.Duration) error {
	var o events.Outcome
	if err := json.Unmarshal(e.Data(), &o); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if o.Calls == 0 && o.Actor == "" {
		return nil
	}
	s, err := a.host.find(ctx, o.Story)
	if errors.Is(err, ledger.ErrNotFound) { // it was forgotten meanwhile
		return a.host.audit.Append(ctx, audit.Deed{
			Kind: "story", ID: o.Story, HAVIP: o.Name, Actor: o.Actor, Scope: guard.Stranger.String(), Roster: o.Roster, What: o,
		})
	}
	if err != nil {
		return err
	}
	told := api.NewStory(s)
	told.Looks = nil // they change nothing
	return a.host.audit.Append(ctx, audit.Deed{
		Kind: "story", ID: s.ID, HAVIP: s.Name, Actor: s.Ask.Actor, Reason: s.Ask.Reason, Scope: needed(s.Ask.Kind).String(), Roster: s.Roster, What: told,
	})
}

// needed is the scope that an ask takes.
func needed(k havip.Kind) guard.Scope {
	switch k {
	case havip.AskRecover:
		return guard.Operator
	case havip.AskSweep:
		return guard.Ourselves
	default:
		return guard.Reporter
	}
}

// byHand writes down what a person asks for before it is done; what can't be written down
// is not done.
func (h *Host) byHand(ctx context.Context, d audit.Deed) error {
	d.ID, d.Scope = rand.Text(), guard.Operator.String()
	return h.audit.Append(ctx, d)
}

const auditPage = 500

// audited copies the chain, from behind an entry on.
func (h *Host) audited(w http.ResponseWriter, r *http.Request) {
	after, err := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
	if err != nil {
		api.Refuse(w, http.StatusBadRequest, "after", "say behind which entry, 0 for all")
		return
	}
	lines, err := h.audit.Read(r.Context(), after, auditPage)
	if err != nil {
		unavailable(w, err)
		return
	}
	answer(w, api.Audit{Lines: lines})
}

// refusals are the requests that were turned away, until they are written down: one entry
// for each scope and a while, since anybody may knock.
type refusals struct {
	mu   sync.Mutex
	seen map[guard.Scope]int
}

const refusalsEvery = time.Minute

func (f *refusals) count(status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil {
		f.seen = map[guard.Scope]int{}
	}
	f.seen[turnedAway(status)]++
}

func (f *refusals) take() map[guard.Scope]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.seen
	f.seen = nil
	return seen
}

// auditRefusals writes them down until the context ends, and what is left then.
func (h *Host) auditRefusals(ctx context.Context, f *refusals) {
	for stopped := false; !stopped; {
		stopped = pause(ctx, refusalsEvery) != nil
		for scope, n := range f.take() {
			d := audit.Deed{Kind: "refused", ID: rand.Text(), Scope: scope.String(), What: map[string]int{"requests": n}}
			if err := h.audit.Append(context.WithoutCancel(ctx), d); err != nil {
				h.config.Log.Error("refused requests are not in the audit", "scope", scope, "requests", n, "error", err)
			}
		}
	}
}
