package main

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"havip-functions/events"
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
	var answer struct {
		Plans []havip.Plan `json:"plans"`
	}
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

func (r recovery) directly(ctx context.Context) error {
	d, err := openDirect(r.roster, os.Stderr)
	if err != nil {
		return err
	}
	p, err := d.find(r.ask.HAVIP)
	if err != nil {
		return err
	}
	r.ask.Cloud, r.ask.Region, r.ask.HAVIP = p.Cloud, p.Region, p.ID
	body, err := encode(events.New("", time.Now().UTC(), r.ask))
	if err != nil {
		return err
	}
	if r.ask.DryRun {
		return d.plan(ctx, body, r.asJSON)
	}
	return d.run(ctx, body, r.asJSON)
}
