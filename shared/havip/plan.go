package havip

import (
	"context"
	"errors"
	"slices"
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

	Verdicts []Verdict `json:"verdicts,omitempty"` // of each rule that may hold a call back
}

// Verdict is what one rule says of a call: it lets it pass, or why not.
type Verdict struct {
	Of   string `json:"of"` // members and mode, cool-down, or brake
	Lets bool   `json:"lets"`
	Why  string `json:"why,omitempty"`
}

// HeldBack tells that a rule lets the step not pass.
func (p Plan) HeldBack() bool {
	return slices.ContainsFunc(p.Verdicts, func(v Verdict) bool { return !v.Lets })
}

// Plan tells what the event would do first at each HAVIP, and changes nothing.
func (k Keeper) Plan(ctx context.Context, e Event) ([]Plan, error) {
	concerned := k.concerned(e)
	if len(concerned) == 0 {
		rule, advice := k.offRoster(e)
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
	case plan.Step == Attach || plan.Step == Detach:
		return plan, l.weigh(ctx, &plan)
	case plan.Step == Done:
		plan.Rule, plan.Advice = l.have.unserved(p, "")
	}
	return plan, nil
}

// weigh asks the rules in the order in which a step does, and takes the first no.
func (l *look) weigh(ctx context.Context, plan *Plan) error {
	closed, err := l.keeper.closedSince(ctx, l.policy)
	if err != nil {
		return err
	}
	braked := closed != nil && l.policy.Brake.Failovers > 0 && l.moves()
	for _, rule := range []struct {
		of    string
		holds func()
	}{
		{"members and mode", func() { l.forbidden(plan.Step, l.touches(plan.Step)) }},
		{"cool-down", func() { l.cooling() }},
		{"brake", func() {
			if braked {
				l.story.explain(l.brakes(*closed))
			}
		}},
	} {
		l.story.Rule, l.story.Advice = "", ""
		rule.holds()
		plan.Verdicts = append(plan.Verdicts, Verdict{rule.of, l.story.Rule == "", l.story.Rule})
		if plan.Rule == "" {
			plan.Rule, plan.Advice = l.story.Rule, l.story.Advice
		}
	}
	return nil
}
