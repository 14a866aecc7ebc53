package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

func statusCommand() *cobra.Command {
	var direct, watch, asJSON bool
	var rosterPath string
	cmd := &cobra.Command{
		Use:   "status [HAVIP]",
		Short: "Show who holds each HAVIP (attached) and who announces it (serving)",
		Example: `  havip status
  havip status orders-db --watch
  havip status --direct --roster roster.yaml`,
		Args: cobra.MaximumNArgs(1),
	}
	at := hostFlag(cmd)
	cmd.Flags().BoolVar(&direct, "direct", false, "ask the clouds, without a host")
	cmd.Flags().StringVar(&rosterPath, "roster", "", "with --direct: the roster (HAVIP_ROSTER, else roster.yaml)")
	cmd.Flags().BoolVar(&watch, "watch", false, "again every two seconds")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		pick := strings.Join(args, "")
		read := func(ctx context.Context) ([]havip.View, error) { return connect(*at).havips(ctx, pick) }
		if direct {
			d, err := openDirect(rosterPath, os.Stderr)
			if err != nil {
				return err
			}
			k := d.keeper(ledger.NewMemory())
			read = func(ctx context.Context) ([]havip.View, error) { return k.Status(ctx, pick), nil }
		}
		for {
			if err := showStatus(cmd.Context(), read, pick, asJSON); err != nil || !watch {
				return err
			}
			select {
			case <-cmd.Context().Done():
				return nil
			case <-time.After(2 * time.Second):
			}
		}
	}
	return cmd
}

func showStatus(ctx context.Context, read func(context.Context) ([]havip.View, error), pick string, asJSON bool) error {
	views, err := read(ctx)
	if err != nil {
		return err
	}
	if pick != "" && len(views) == 0 {
		return usage("%s is not on the roster; havip status lists it", pick)
	}
	if asJSON {
		printJSON(map[string]any{"havips": views})
	} else {
		printStatus(views)
	}
	for _, v := range views {
		if unserved(v) != "" && !asJSON {
			fmt.Printf("%s  %s: %s\n", colored("failed"), v.Name, unserved(v))
		}
	}
	for _, v := range views {
		if v.Problem != "" {
			return other("%s can't be read: %s", v.Name, v.Problem)
		}
	}
	return nil
}

func printStatus(views []havip.View) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tHAVIP\tREGION\tSTATUS\tATTACHED\tSERVING\tHOLD\tMODE\tSTORY")
	for _, v := range views {
		var holders []string
		for _, h := range v.Holders {
			holders = append(holders, h.ID+" "+h.Health)
		}
		story := "-"
		if v.Story != nil {
			story = *v.Story
		}
		fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\t%s\t%s\t%d/%d\t%s\t%s\n", v.Name, v.ID, v.Cloud, v.Region,
			orDash(string(v.Status)), orDash(strings.Join(holders, ", ")), orDash(orStranger(v.Announcement)), len(v.Holders), v.Hold, modeOf(v), story)
	}
	_ = w.Flush() // the reader may have gone
}

// orStranger is who serves, or who only announces the address.
func orStranger(a havip.Announcement) string {
	if a.AnnouncedBy == havip.ByHolder || a.Announcer == "" {
		return a.Serving
	}
	return a.Announcer + " (" + string(a.AnnouncedBy) + ")"
}

// unserved says why nobody serves a HAVIP, and what to do; "" where somebody does.
func unserved(v havip.View) string {
	if v.Rule == "" {
		return ""
	}
	return v.Rule + "; " + v.Advice
}

// modeOf is the mode, and what a person did to it for a while.
func modeOf(v havip.View) string {
	if v.Frozen == nil {
		return string(v.Mode)
	}
	return fmt.Sprintf("%s, frozen until %s by %s", v.Mode, v.Frozen.Until.UTC().Format(time.RFC3339), v.Frozen.Actor)
}
