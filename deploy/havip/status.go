package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"havip-functions/shared/api"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

func statusCommand() *cobra.Command {
	var direct, watch, asJSON bool
	var rosterPath string
	cmd := &cobra.Command{
		Use:   "status [HAVIP]",
		Short: "Show who holds each HAVIP (attached) and who announces it (serving), and what is wrong",
		Long: `Show who holds each HAVIP (attached) and who announces it (serving), what is wrong
first: marks of failure, a freeze, a closed brake, holders off the roster, why an open
story waits. It exits with 0 when all is well, and with 1 when a person should look.`,
		Example: `  havip status
  havip status orders-db --watch
  havip status --direct --roster roster.yaml`,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: completeHAVIPs,
	}
	at := hostFlag(cmd)
	cmd.Flags().BoolVar(&direct, "direct", false, "ask the clouds, without a host")
	cmd.Flags().StringVar(&rosterPath, "roster", "", "with --direct: the roster (HAVIP_ROSTER, else roster.yaml)")
	cmd.Flags().BoolVar(&watch, "watch", false, "again every two seconds; on a terminal in the same place")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		pick := strings.Join(args, "")
		read := func(ctx context.Context) (api.HAVIPs, error) { return connect(*at).overview(ctx, pick) }
		if direct {
			d, err := openDirect(rosterPath, os.Stderr)
			if err != nil {
				return err
			}
			k := d.keeper(ledger.NewMemory())
			read = func(ctx context.Context) (api.HAVIPs, error) { //nolint:unparam // a host's may fail
				return api.HAVIPs{HAVIPs: k.Status(ctx, pick)}, nil
			}
		}
		show := func(ctx context.Context) error { return showStatus(ctx, read, pick, asJSON) }
		if watch {
			return watchStatus(cmd.Context(), show)
		}
		return show(cmd.Context())
	}
	return cmd
}

// watchStatus shows it again and again, on a terminal in the same place. What is wrong
// is shown, and a host that is away is waited for: neither ends it.
func watchStatus(ctx context.Context, show func(context.Context) error) error {
	for {
		if terminal(os.Stdout) {
			fmt.Print("\x1b[H\x1b[2J")
		}
		err := show(ctx)
		switch f := (failure{}); {
		case errors.As(err, &f) && f.code == exitUsage:
			return err
		case away(err):
			fmt.Println(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(2 * time.Second):
		}
	}
}

func showStatus(ctx context.Context, read func(context.Context) (api.HAVIPs, error), pick string, asJSON bool) error {
	list, err := read(ctx)
	if err != nil {
		return err
	}
	views := list.HAVIPs
	if pick != "" && len(views) == 0 {
		return usage("%s is not on the roster; havip status lists it", pick)
	}
	if asJSON {
		printJSON(list)
	} else {
		if list.RosterRefused != "" {
			wrapped(os.Stdout, width(), colored("wrong")+"  roster: ", "its newest version is refused, the last good one serves: "+list.RosterRefused)
		}
		writeStatus(os.Stdout, views, time.Now(), width())
	}
	if list.RosterRefused != "" || slices.ContainsFunc(views, func(v havip.View) bool { return len(v.Wrong) > 0 }) {
		return failure{exitOther, errors.New("")}
	}
	return nil
}

// writeStatus writes what needs a person first, then a table, in lines that fit the
// width; 0 is as wide as it takes.
func writeStatus(out io.Writer, views []havip.View, now time.Time, width int) {
	sorted := worstFirst(views)
	for _, v := range sorted {
		writeNotes(out, v, now, width)
	}
	t := table{{"NAME", "STATUS", "HOLD", "ATTACHED", "SERVING", "LAST"}}
	for _, v := range sorted {
		t = append(t, rows(v, now)...)
	}
	if width > 0 && t.width() > width {
		writeBlocks(out, sorted, now, width)
		return
	}
	t.write(out)
}

func worstFirst(views []havip.View) []havip.View {
	var wrong, noted, well []havip.View
	for _, v := range views {
		switch {
		case len(v.Wrong) > 0:
			wrong = append(wrong, v)
		case len(notes(v, time.Time{})) > 0:
			noted = append(noted, v)
		default:
			well = append(well, v)
		}
	}
	return append(append(wrong, noted...), well...)
}

// rows are a HAVIP's: one for each holder.
func rows(v havip.View, now time.Time) (rows table) {
	first := []string{v.Name, orDash(string(v.Status)), fmt.Sprintf("%d/%d", len(v.Holders), v.Hold), "-", serves(v), lastOutcome(v, now)}
	if v.Problem != "" {
		first[1], first[2], first[4] = "unread", "-", "-"
	}
	rows = table{first}
	for i, h := range v.Holders {
		if i > 0 {
			rows = append(rows, make([]string, len(first)))
		}
		rows[i][3] = h.ID + " " + colored(h.Health)
	}
	return rows
}

func serves(v havip.View) string { return orDash(orStranger(v.Announcement)) }

// orStranger is who serves, or who only announces the address.
func orStranger(a havip.Announcement) string {
	if a.AnnouncedBy == havip.ByHolder || a.Announcer == "" {
		return a.Serving
	}
	return a.Announcer + " (" + string(a.AnnouncedBy) + ")"
}

func lastOutcome(v havip.View, now time.Time) string {
	if v.Last == nil {
		return "-"
	}
	return colored(string(v.Last.Outcome)) + " " + ago(now, v.Last.EndedAt)
}

// writeNotes writes what a person should know of a HAVIP, what is wrong first.
func writeNotes(out io.Writer, v havip.View, now time.Time, width int) {
	for _, w := range v.Wrong {
		wrapped(out, width, colored("wrong")+"  "+v.Name+": ", w)
	}
	for _, n := range notes(v, now) {
		wrapped(out, width, "       "+v.Name+": ", n)
	}
}

// notes are what is no fault, or is the reason of one.
func notes(v havip.View, now time.Time) (notes []string) {
	if o := v.Open; o != nil {
		note := fmt.Sprintf("story %s is open for %s, look %d", *v.Story, age(now.Sub(o.Since)), o.Attempt)
		if o.Waits != "" {
			note += ": " + o.Waits
		}
		if o.Advice != "" {
			note += "; " + o.Advice
		}
		notes = append(notes, note)
	}
	for _, m := range v.Marks {
		notes = append(notes, fmt.Sprintf("%s is marked as failed for %s, until %s or a word of its health",
			m.ID, age(now.Sub(m.Since)), m.Until.Local().Format("2006-01-02 15:04")))
	}
	if l := v.Last; l != nil && v.Open == nil && (l.Outcome == havip.Refused || l.Outcome == havip.TimedOut || len(v.Wrong) > 0) {
		note := fmt.Sprintf("story %s ended as %s %s", l.Story, l.Outcome, ago(now, l.EndedAt))
		if l.Reason != "" {
			note += ": " + l.Reason
		}
		if l.Advice != "" {
			note += "; " + l.Advice
		}
		notes = append(notes, note)
	}
	if f := v.Frozen; f != nil {
		notes = append(notes, fmt.Sprintf("frozen until %s by %s: %s", f.Until.UTC().Format(time.RFC3339), f.Actor, f.Reason))
	}
	if v.Mode != havip.Act {
		notes = append(notes, "mode "+string(v.Mode)+": nothing is done")
	}
	return notes
}

// writeBlocks writes a HAVIP in several short lines, for a narrow terminal.
func writeBlocks(out io.Writer, views []havip.View, now time.Time, width int) {
	for _, v := range views {
		wrapped(out, width, v.Name+"  ", fmt.Sprintf("%s, %d of %d, %s", orDash(string(v.Status)), len(v.Holders), v.Hold, v.ID))
		for _, h := range v.Holders {
			wrapped(out, width, "  attached  ", h.ID+" "+colored(h.Health))
		}
		wrapped(out, width, "  serving   ", serves(v))
		wrapped(out, width, "  last      ", lastOutcome(v, now))
	}
}
