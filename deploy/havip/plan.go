package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"havip-functions/events"
	"havip-functions/shared/api"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

func planCommand() *cobra.Command {
	var direct, asJSON bool
	var rosterPath string
	cmd := &cobra.Command{
		Use:   "plan FILE|-",
		Short: "Tell what an event would do first, and do nothing",
		Long: `Tell what an event would do first at each HAVIP that it concerns, the calls that
lead there as the clouds' permissions name them, and what each rule says of them. It
changes nothing, and ends with 1 where a rule is against it, or no call would help.`,
		Example: "  havip plan event.json",
		Args:    cobra.ExactArgs(1),
	}
	at := hostFlag(cmd)
	cmd.Flags().BoolVar(&direct, "direct", false, "work without a host")
	cmd.Flags().StringVar(&rosterPath, "roster", "", "with --direct: the roster (HAVIP_ROSTER, else roster.yaml)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		body, err := eventBytes(args[0], "", events.Fact{})
		if err != nil {
			return err
		}
		if !direct {
			return connect(*at).plan(cmd.Context(), body, asJSON)
		}
		d, err := openDirect(rosterPath, os.Stderr)
		if err != nil {
			return err
		}
		return d.plan(cmd.Context(), body, asJSON)
	}
	return cmd
}

func (c client) plan(ctx context.Context, body []byte, asJSON bool) error {
	var answer api.Plans
	if err := c.do(ctx, http.MethodPost, "/api/plan", body, &answer); err != nil {
		return err
	}
	return printPlans(answer.Plans, asJSON)
}

func (d *direct) plan(ctx context.Context, body []byte, asJSON bool) error {
	plans, err := flow.Plan(ctx, d.keeper(ledger.NewMemory()), body)
	if err != nil {
		return other("%v", err)
	}
	return printPlans(plans, asJSON)
}

func printPlans(plans []havip.Plan, asJSON bool) error {
	var bad error
	for _, p := range plans {
		if p.Step == havip.Refuse || p.HeldBack() || p.Step == havip.Done && p.Rule != "" {
			bad = failure{exitOther, fmt.Errorf("")}
		}
		if asJSON {
			printJSON(p)
			continue
		}
		fmt.Println(planLine(p))
		for _, call := range calls(p) {
			fmt.Printf("  %-18s%s\n", "call", call)
		}
		for _, v := range p.Verdicts {
			fmt.Printf("  %-18s%s\n", v.Of, cmp.Or(v.Why, "ok"))
		}
	}
	return bad
}

// calls are those that lead from how the HAVIP is to how it is wanted, in their order.
func calls(p havip.Plan) (all []string) {
	operation := operations[p.HAVIP.Cloud]
	attach, detach := operation[havip.Attach]+" "+p.Want.Instance, operation[havip.Detach]+" "+p.Want.Release
	if p.Step != havip.Attach && p.Step != havip.Detach {
		return nil
	}
	if p.Want.Instance != "" && !slices.Contains(p.Holders, p.Want.Instance) {
		all = append(all, attach)
	}
	if p.Want.Release != "" && slices.Contains(p.Holders, p.Want.Release) {
		all = append(all, detach)
	}
	if p.Step == havip.Detach { // it makes room
		slices.Reverse(all)
	}
	return all
}

// operations are what a step calls, as the clouds' permissions name it.
var operations = map[string]map[havip.Step]string{
	"alibaba": {havip.Attach: "vpc:AssociateHaVip", havip.Detach: "vpc:UnassociateHaVip"},
	"baidu":   {havip.Attach: "AttachHaVip", havip.Detach: "DetachHaVip"},
}

func planLine(p havip.Plan) string {
	name := p.Name
	if name == "" {
		name = p.HAVIP.ID
	}
	line := fmt.Sprintf("%s would %s", name, p.Step)
	switch p.Step {
	case havip.Attach:
		line += " " + p.Want.Instance
	case havip.Detach:
		line += " " + p.Want.Release
	case havip.Done:
		if line = name + " is as it should be"; p.Rule != "" {
			line = name + " is held as it should be, and no call would help"
		}
	case havip.Wait, havip.Refuse:
	}
	if p.Status != "" {
		line += fmt.Sprintf(" (%s, held by %s, %s serves)", p.Status, orNobody(p.Holders), orNone(p.Serving))
	}
	if p.Rule != "" {
		line += ": " + p.Rule
	}
	if p.Advice != "" {
		line += "; " + p.Advice
	}
	return line
}
