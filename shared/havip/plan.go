package havip

import (
	"context"
	"errors"
)

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
