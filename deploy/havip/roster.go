package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"havip-functions/shared/accounts"
	"havip-functions/shared/api"
	"havip-functions/shared/havip"
	"havip-functions/shared/roster"
)

func rosterCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "roster",
		Short: "Check a roster, or write one from the live clouds",
	}
	cmd.AddCommand(rosterCheckCommand(), rosterImportCommand(), rosterPolicyCommand())
	return chooses(cmd)
}

func rosterCheckCommand() *cobra.Command {
	var asJSON, live bool
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check a roster and say what it means",
		Long: `Check a roster and say what it means. With --live also whether the clouds have what it
names: the HAVIPs, and members that run and stand where they can hold them. It exits with 1
where they have not.`,
		Example: "  havip roster check roster.yaml\n  havip roster check roster.yaml --live",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := cmp.Or(append(args, "")[0], os.Getenv("HAVIP_ROSTER"), "roster.yaml")
			file, err := roster.Open(path)
			if err != nil {
				return usage("%v", err)
			}
			e := examination{silent: asJSON, findings: []finding{}}
			if asJSON {
				err := e.rostered(cmd.Context(), path, live)
				printJSON(struct {
					checked
					Findings []finding `json:"findings,omitempty"`
				}{check(file.Current()), e.findings})
				return err
			}
			for _, p := range file.Policies() {
				fmt.Printf("%s: %s %s %s, %d members, hold %d of at most %d, mode %s, on failure %s\n",
					p.Name, p.Cloud, p.Region, p.ID, len(p.Members), p.Hold, p.Limit, p.Mode, p.OnHealthFailed)
			}
			fmt.Fprintf(os.Stderr, "the roster is good; its hash is %s\n", file.Current().Hash)
			return e.rostered(cmd.Context(), path, live)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&live, "live", false, "ask the clouds too")
	return cmd
}

// rostered compares a roster with the clouds, where it is to.
func (e *examination) rostered(ctx context.Context, path string, live bool) error {
	if !live {
		return nil
	}
	d, err := openDirect(path, os.Stderr)
	if err != nil {
		return err
	}
	for _, p := range d.roster.Policies() {
		e.live(ctx, d, p)
	}
	if e.wrong > 0 {
		return other("%d things are wrong", e.wrong)
	}
	return nil
}

// checked is a good roster with its defaults filled in.
type checked struct {
	Hash   string          `json:"hash"`
	HAVIPs []checkedPolicy `json:"havips"`
}

type checkedPolicy struct {
	api.Rostered
	Hold           int                  `json:"hold"`
	Limit          int                  `json:"limit"`
	Mode           havip.Mode           `json:"mode"`
	OnHealthFailed havip.OnHealthFailed `json:"onHealthFailed"`
}

func check(r *roster.Roster) checked {
	all := checked{Hash: r.Hash, HAVIPs: []checkedPolicy{}}
	for _, p := range r.Policies() {
		all.HAVIPs = append(all.HAVIPs, checkedPolicy{api.NewRostered(p), p.Hold, p.Limit, p.Mode, p.OnHealthFailed})
	}
	return all
}

func rosterImportCommand() *cobra.Command {
	var cloud string
	var regions []string
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Write a roster of the HAVIPs that a cloud has, in mode observe",
		Long: `Write a roster of the HAVIPs that a cloud has, in mode observe, to stdout. Those
that hold a HAVIP now become its members: add the standbys before you set mode act.`,
		Example: `  havip roster import --cloud alibaba --region cn-hangzhou > roster.yaml
  havip roster import --cloud baidu --region bj --region gz`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&cloud, "cloud", "", "alibaba or baidu")
	cmd.Flags().StringArrayVar(&regions, "region", nil, "a region; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if (cloud != "alibaba" && cloud != "baidu") || len(regions) == 0 {
			return usage("name --cloud alibaba or baidu, and at least one --region")
		}
		var found []havip.Policy
		for _, region := range regions {
			some, err := importRegion(cmd.Context(), cloud, region)
			if err != nil {
				return other("%s %s: %v", cloud, region, err)
			}
			fmt.Fprintf(os.Stderr, "%s %s: %d HAVIPs\n", cloud, region, len(some))
			for _, h := range some {
				if len(h.Members) == 0 {
					fmt.Fprintf(os.Stderr, "%s %s: %s is left out, since nobody holds it: add it with its members\n", cloud, region, h.ID)
					continue
				}
				found = append(found, h)
			}
		}
		return roster.Write(os.Stdout, found)
	}
	return cmd
}

func importRegion(ctx context.Context, cloud, region string) ([]havip.Policy, error) {
	_, fleet, err := accounts.New(os.Getenv).Clouds(havip.Credentials{})(ctx, havip.Policy{Cloud: cloud, Region: region}, "import")
	if err != nil {
		return nil, err
	}
	listed, err := fleet.List(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(listed, func(a, b havip.HAVIP) int { return cmp.Compare(a.ID, b.ID) })
	var policies []havip.Policy
	for _, h := range listed {
		p := havip.Policy{Name: h.ID, Cloud: cloud, Region: region, ID: h.ID, InstanceType: h.Type}
		for _, id := range h.Holders {
			p.Members = append(p.Members, havip.Member{ID: id, Instance: id})
		}
		policies = append(policies, p)
	}
	return policies, nil
}
