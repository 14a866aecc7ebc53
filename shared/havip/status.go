package havip

import (
	"context"
	"errors"
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
	Hold    int       `json:"hold"`
	Limit   int       `json:"limit"`
	Mode    Mode      `json:"mode"`
	ReadAt  time.Time `json:"readAt"`
	Story   *string   `json:"story"`           // the open one
	Drift   []string  `json:"drift,omitempty"` // holders off the roster
	Frozen  *Freeze   `json:"frozen,omitempty"`
	Problem string    `json:"problem,omitempty"` // why it could not be read
	Rule    string    `json:"rule,omitempty"`    // why nobody serves it
	Advice  string    `json:"advice,omitempty"`
}

// HolderView is one holder and its health: healthy, failed or unknown.
type HolderView struct {
	ID     string `json:"id"`
	Health string `json:"health"`
}

// Status reads every HAVIP of the roster that pick names by id or name; an empty
// pick names all. What can't be read says why in its Problem.
func (k Keeper) Status(ctx context.Context, pick string) []View {
	views := []View{}
	for _, policies := range k.byAccount(named(pick)) {
		seen, err := k.survey(ctx, policies)
		for _, p := range policies {
			have, listed := seen[p.ID]
			problem := err
			if !listed && err == nil {
				problem = errors.New("the cloud does not list " + p.ID + "; check region and account in roster.yaml")
			}
			views = append(views, k.view(ctx, p, have, problem))
		}
	}
	return views
}

func (k Keeper) view(ctx context.Context, p Policy, have HAVIP, problem error) View {
	now := k.Now()
	r, _, err := Load[Record](ctx, k.Ledger, p.Key().String())
	v := View{
		Name: p.Name, Cloud: p.Cloud, Account: p.Account, Region: p.Region, ID: p.ID,
		Status: have.Status, Holders: []HolderView{},
		Hold: p.Hold, Limit: p.Limit, Mode: p.Mode, ReadAt: now,
	}
	if problem == nil {
		v.Announcement = have.announcement()
		v.Rule, v.Advice = have.unserved(p, "")
	}
	if problem = errors.Join(problem, err); problem != nil {
		v.Problem = oneLine(problem.Error())
	}
	if r.Story.Open() {
		v.Story = &r.Story.ID
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

func health(failed bool, state InstanceState) string {
	switch {
	case failed || state.Down():
		return "failed"
	case state == Running:
		return "healthy"
	}
	return "unknown"
}

// Plan is what an event would set going at one HAVIP now.
type Plan struct {
	Name    string   `json:"name"`
	HAVIP   Key      `json:"havip"`
	Status  Status   `json:"status"`
	Holders []string `json:"holders"`
	Serving string   `json:"serving"`
	Want    Want     `json:"want"`
	Step    Step     `json:"step"`
	Rule    string   `json:"rule,omitempty"`
	Advice  string   `json:"advice,omitempty"`
}

// Plan tells what the event would do first at each HAVIP, and changes nothing.
func (k Keeper) Plan(ctx context.Context, e Event) ([]Plan, error) {
	concerned := k.concerned(e)
	if len(concerned) == 0 {
		rule, advice := offRoster(e)
		return []Plan{{HAVIP: Key{e.Cloud, e.Region, e.HAVIP}, Step: Refuse, Rule: rule, Advice: advice}}, nil
	}
	plans := make([]Plan, 0, len(concerned))
	for _, p := range concerned {
		plan, err := k.plan(ctx, p, e)
		if err != nil {
			return plans, err
		}
		plans = append(plans, plan)
	}
	return plans, nil
}

func (k Keeper) plan(ctx context.Context, p Policy, e Event) (Plan, error) {
	r, _, err := Load[Record](ctx, k.Ledger, p.Key().String())
	if err != nil {
		return Plan{}, err
	}
	e.DryRun = false // planned as if it were meant
	plan := Plan{Name: p.Name, HAVIP: p.Key()}
	s, changed := r.judge(p, e)
	if !s.Open() { // it would end at once
		plan.Step, plan.Rule, plan.Advice = Refuse, s.Rule, s.Advice
		return plan, nil
	}
	r.take(s, e, changed)
	l := &look{keeper: k, policy: p, record: r, story: r.Story}
	if err := l.read(ctx); err != nil || l.err != nil {
		return plan, errors.Join(err, l.err)
	}
	l.want = Choose(p, l.have, *l.story)
	plan.Status, plan.Holders, plan.Serving = l.have.Status, l.have.Holders, l.have.announcement().Serving
	plan.Want, plan.Step = l.want, Next(l.want, l.have)
	switch {
	case plan.Step == Refuse:
		plan.Rule, plan.Advice = l.refusal()
	case l.leftover():
		plan.Rule, plan.Advice = l.guarded()
	}
	return plan, nil
}
