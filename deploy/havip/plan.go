package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

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
		Use:     "plan FILE|-",
		Short:   "Tell what an event would do first, and do nothing",
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
		if p.Step == havip.Refuse {
			bad = failure{exitOther, fmt.Errorf("")}
		}
		if asJSON {
			printJSON(p)
			continue
		}
		fmt.Println(planLine(p))
	}
	return bad
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
		line = name + " is as it should be"
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
