package havip

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// View is one HAVIP of the roster as a person wants to see it.
type View struct {
	Name    string       `json:"name"`
	Cloud   string       `json:"cloud"`
	Account string       `json:"account"`
	Region  string       `json:"region"`
	ID      string       `json:"id"`
	Status  Status       `json:"status"`
	Holders []HolderView `json:"holders"`
	Announcement
	Hold    int        `json:"hold"`
	Limit   int        `json:"limit"`
	Mode    Mode       `json:"mode"`
	ReadAt  time.Time  `json:"readAt"`
	Story   *string    `json:"story"`           // the open one
	Drift   []string   `json:"drift,omitempty"` // holders off the roster
	Frozen  *Freeze    `json:"frozen,omitempty"`
	Address string     `json:"address,omitempty"`
	Network string     `json:"network,omitempty"` // its vSwitch or subnet
	Unknown []string   `json:"unknown,omitempty"` // members that the cloud does not know
	Marks   []MarkView `json:"marks,omitempty"`   // members that were reported as failed, holders or not
	Braked  *time.Time `json:"braked,omitempty"`  // since when the brake lets no failover through
	Open    *OpenView  `json:"open,omitempty"`    // how the open story stands
	Last    *LastView  `json:"last,omitempty"`    // the newest story that ended
	Wrong   []string   `json:"wrong,omitempty"`   // what a person should see to
	Problem string     `json:"problem,omitempty"` // why it could not be read
	Rule    string     `json:"rule,omitempty"`    // why nobody serves it
	Advice  string     `json:"advice,omitempty"`
}

// HolderView is one holder and its health: healthy, failed or unknown.
type HolderView struct {
	ID     string `json:"id"`
	Health string `json:"health"`
}

// MarkView is a member that was reported as failed, or that the sweep saw down.
type MarkView struct {
	ID    string    `json:"id"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"` // it counts so long without further word
}

// OpenView is how an open story stands, and why its last look did nothing.
type OpenView struct {
	Since    time.Time `json:"since"`
	Deadline time.Time `json:"deadline"`
	Attempt  int       `json:"attempt"` // of the next look
	Waits    string    `json:"waits,omitempty"`
	Advice   string    `json:"advice,omitempty"`
}

// LastView is how a story ended, and why.
type LastView struct {
	Story   string    `json:"story"`
	Outcome Outcome   `json:"outcome"`
	EndedAt time.Time `json:"endedAt"`
	Reason  string    `json:"reason,omitempty"`
	Advice  string    `json:"advice,omitempty"`
}

// Status reads every HAVIP of the roster that pick names by id or name; an empty
// pick names all. What can't be read says why in its Problem.
func (k Keeper) Status(ctx context.Context, pick string) []View {
	accounts := k.byAccount(named(pick))
	views := make([][]View, len(accounts))
	var reading sync.WaitGroup
	for i, policies := range accounts {
		reading.Go(func() { views[i] = k.views(ctx, policies) })
	}
	reading.Wait()
	return slices.Concat(append(views, []View{})...)
}

// glancing is how long a person waits for a cloud before he is told that it can't be
// read: all accounts are read at once.
const glancing = 4 * time.Second

// views reads the HAVIPs of one account and region.
func (k Keeper) views(ctx context.Context, policies []Policy) (views []View) {
	reading, cancel := context.WithTimeout(ctx, glancing)
	defer cancel()
	seen, err := k.survey(reading, policies)
	braked, unread := k.closedSince(ctx, policies[0])
	for _, p := range policies {
		have, listed := seen[p.ID]
		problem := err
		if !listed && err == nil {
			problem = errors.New("the cloud does not list " + p.ID + "; check id, region and account in roster.yaml")
		}
		v := k.view(ctx, p, have, errors.Join(problem, unread))
		v.Braked = braked
		v.Wrong = v.wrong()
		views = append(views, v)
	}
	return views
}

func (k Keeper) view(ctx context.Context, p Policy, have HAVIP, problem error) View {
	now := k.Now()
	r, _, err := Load[Record](ctx, k.Ledger, p.Key().String())
	v := View{
		Name: p.Name, Cloud: p.Cloud, Account: p.Account, Region: p.Region, ID: p.ID,
		Status: have.Status, Holders: []HolderView{},
		Hold: p.Hold, Limit: p.Limit, Mode: p.Mode, ReadAt: now, Address: have.Address, Network: have.Network,
	}
	if o := r.Outage; o != nil && o.By == ByMute && p.Probe.How != "" { // as the last one found who asked
		have.Witness = Witness{Unreachable, o.Why}
	}
	if problem == nil {
		v.Announcement = have.announcement()
		v.Rule, v.Advice = have.unserved(p, "")
		if s := r.Story; v.Rule != "" && s.Open() {
			v.Advice = "wait: story " + s.ID + " is at it, as havip story tells"
		}
		for _, m := range p.Members {
			if have.States[m.ID] == Deleted {
				v.Unknown = append(v.Unknown, m.ID)
			}
		}
	}
	if problem = errors.Join(problem, err); problem != nil {
		v.Problem = oneLine(problem.Error())
	}
	v.tell(r)
	for _, m := range p.Members {
		if mark, known := r.Marks[m.ID]; known && r.failed(p, now)[m.ID] {
			v.Marks = append(v.Marks, MarkView{m.ID, mark.Since, mark.Since.Add(p.MarkTTL)})
		}
	}
	if r.Frozen.holds(now) {
		v.Frozen = r.Frozen
	}
	v.Drift = strangers(p, have)
	failed := r.failed(p, now)
	for _, id := range have.Holders {
		v.Holders = append(v.Holders, HolderView{ID: id, Health: health(failed[id], have.States[id])})
	}
	return v
}

// tell says how the HAVIP's stories stand.
func (v *View) tell(r Record) {
	if s := r.Story; s.Open() {
		v.Story = &s.ID
		v.Open = &OpenView{Since: s.StartedAt, Deadline: s.Deadline, Attempt: s.Attempt, Waits: s.Waits()}
		if v.Open.Waits != "" {
			v.Open.Advice = s.Advice
		}
	}
	for _, s := range []*Story{r.Closed, r.Story} {
		if s != nil && !s.Open() {
			v.Last = s.Last()
		}
	}
}

// Last is how a story ended, in short.
func (s *Story) Last() *LastView {
	l := &LastView{s.ID, s.Outcome, s.EndedAt, s.reason(), s.Advice}
	if s.Outcome == Refused && !strings.Contains(s.Advice, "havip ") {
		l.Advice += "; no sweep repeats what was refused: once that is mended, run " + recoverCommand(s.Name)
	}
	return l
}

// wrong is what a person should see to, the worst first.
func (v View) wrong() (wrong []string) {
	say := func(so bool, format string, args ...any) {
		if so {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	if v.Problem != "" {
		return []string{"it can't be read: " + v.Problem}
	}
	healthy := 0
	for _, h := range v.Holders {
		if h.Health != "failed" {
			healthy++
		}
	}
	say(len(v.Holders) > 0 && healthy == 0, "no healthy holder")
	say(v.Rule != "", "%s; %s", v.Rule, v.Advice)
	for _, h := range v.Holders {
		say(h.Health == "failed" && h.ID == v.Serving, "%s serves, and has failed", h.ID)
		say(h.Health == "failed" && h.ID != v.Serving, "%s holds it, and has failed", h.ID)
	}
	say(healthy > 0 && healthy < v.Hold, "held by %d healthy of %d", healthy, v.Hold)
	for _, id := range v.Unknown {
		say(true, "the cloud knows no %s, which the roster names as a member; havip doctor --roster roster.yaml says which it may be", id)
	}
	say(len(v.Drift) > 0, "held by %s, off the roster; add it to the members, or detach it at the cloud", strings.Join(v.Drift, ", "))
	if v.Braked != nil {
		say(true, "the brake lets no failover through since %s; havip freeze --lift opens it", v.Braked.UTC().Format(time.RFC3339))
	}
	return wrong
}

func health(failed bool, state InstanceState) string {
	switch {
	case failed || state.Down():
		return "failed"
	case state == Running:
		return "healthy"
	}
	return "unknown"
}
