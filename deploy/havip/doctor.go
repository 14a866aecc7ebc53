package main

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

func doctorCommand() *cobra.Command {
	var rosterPath string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check roster, host, credentials and clouds, and say what is wrong with each",
		Long: `Check the roster, whether the host answers, and for each HAVIP whether the cloud
lets us read it and whether its members exist and run. It changes nothing.`,
		Example: "  havip doctor --roster roster.yaml",
		Args:    cobra.NoArgs,
	}
	at := hostFlag(cmd)
	cmd.Flags().StringVar(&rosterPath, "roster", "", "the roster (HAVIP_ROSTER, else roster.yaml)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		e := examination{}
		d, err := openDirect(rosterPath, os.Stderr)
		if err != nil {
			return err
		}
		e.say("", "roster", fmt.Sprintf("%d HAVIPs, hash %s", len(d.roster.Policies()), d.roster.Current().Hash))
		_, err = connect(*at).havips(cmd.Context(), "-") // names none: the host alone is asked
		e.say(problem(err), "host", *at)
		for _, p := range d.roster.Policies() {
			e.examine(cmd.Context(), d, p)
		}
		if e.wrong > 0 {
			return other("%d things are wrong", e.wrong)
		}
		return nil
	}
	return cmd
}

// examination tells one line a thing and counts what is wrong.
type examination struct{ wrong int }

func (e *examination) say(wrong, what, fine string) {
	if wrong == "" {
		fmt.Printf("%s  %s: %s\n", colored("ok"), what, fine)
		return
	}
	e.wrong++
	fmt.Printf("%s  %s: %s\n", colored("failed"), what, wrong)
}

// examine reads one HAVIP and its members, as a look would.
func (e *examination) examine(ctx context.Context, d *direct, p havip.Policy) {
	views := d.keeper(ledger.NewMemory()).Status(ctx, p.ID)
	v := views[0]
	e.say(v.Problem, p.Name, fmt.Sprintf("%s, held by %d of %d", v.Status, len(v.Holders), p.Hold))
	if v.Problem != "" {
		return
	}
	e.say(unserved(v), p.Name, announced(v.Announcement))
	_, fleet, err := d.clouds(ctx, p, "doctor")
	if err != nil {
		e.say(err.Error(), p.Name, "")
		return
	}
	ids := make([]string, 0, len(p.Members))
	for _, m := range p.Members {
		ids = append(ids, m.Instance)
	}
	states, err := fleet.States(ctx, ids)
	e.say(problem(err), p.Name+" members", fmt.Sprintf("%d are listed", len(ids)))
	for _, id := range ids {
		if states[id].Down() {
			e.say(fmt.Sprintf("%s is %s; start it, or take it off the roster", id, states[id]), p.Name, "")
		} else if err == nil {
			e.say("", p.Name, id+" is "+cmp.Or(string(states[id]), "not told by the cloud"))
		}
	}
}

func problem(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
