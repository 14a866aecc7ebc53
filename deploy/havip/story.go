package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"havip-functions/shared/api"
	"havip-functions/shared/havip"
)

func storyCommand() *cobra.Command {
	var asJSON bool
	var pick picking
	var since string
	cmd := &cobra.Command{
		Use:   "story [ID]",
		Short: "List the stories, or tell one: its event, its looks and calls, how it ended",
		Long: `Without an ID the stories are listed: the open ones, then the newest. With one it is
told as it happened, in the times of the host: each look that read something new, each
call with the cloud's request id, why it waited, and how it ended.`,
		Example: `  havip story
  havip story --havip orders-db --outcome refused --since 24h
  havip story 3f2a9c0d8b7e6f5a4d3c2b1a`,
		Args: cobra.MaximumNArgs(1),
	}
	at := hostFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&pick.havip, "havip", "", "only of this HAVIP, by name or id")
	f.StringVar(&pick.outcome, "outcome", "", "only with this outcome: open, "+strings.Join(outcomes[1:], ", "))
	f.StringVar(&since, "since", "", "only what ended since: a duration (24h) or a time (RFC 3339)")
	f.IntVar(&pick.most, "most", 50, "so many at most")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	completes(cmd, "havip", completeHAVIPFlag)
	completes(cmd, "outcome", cobra.FixedCompletions(outcomes, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c := connect(*at)
		if len(args) == 0 {
			if err := pick.read(since); err != nil {
				return err
			}
			return c.listStories(cmd.Context(), pick, asJSON)
		}
		s, err := c.story(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if asJSON {
			printJSON(s)
			return nil
		}
		writeStory(os.Stdout, s)
		return nil
	}
	return cmd
}

// outcomes are what --outcome takes.
var outcomes = []string{
	"open", string(havip.Attached), string(havip.Unchanged), string(havip.Ignored),
	string(havip.Superseded), string(havip.Refused), string(havip.TimedOut),
}

// picking says which stories are listed.
type picking struct {
	havip, outcome string
	since          time.Time
	most           int
}

func (p *picking) read(since string) error {
	if p.outcome != "" && !slices.Contains(outcomes, p.outcome) {
		return usage("--outcome %s is none; there are %s", p.outcome, strings.Join(outcomes, ", "))
	}
	if d, err := time.ParseDuration(since); err == nil && d > 0 {
		p.since = time.Now().Add(-d)
	} else if p.since, err = time.Parse(time.RFC3339, since); err != nil && since != "" {
		return usage("--since %q is neither a duration like 24h nor a time like 2026-12-01T06:00:00Z", since)
	}
	return nil
}

func (p picking) wants(s api.Story) bool {
	if s.Outcome == nil {
		return p.outcome == "" || p.outcome == outcomes[0]
	}
	return (p.outcome == "" || p.outcome == string(*s.Outcome)) && !s.EndedAt.Before(p.since)
}

// listStories lists those that are wanted: the host tells the newest first.
func (c client) listStories(ctx context.Context, p picking, asJSON bool) error {
	if p.havip != "" {
		if views, err := c.havips(ctx, p.havip); err != nil || len(views) == 0 {
			return cmp.Or(err, usage("%s is not on the host's roster; havip status lists it", p.havip))
		}
	}
	found := []api.Story{}
	for next := ""; ; {
		var page api.Stories
		path := "/api/stories?havip=" + url.QueryEscape(p.havip) + "&next=" + url.QueryEscape(next)
		if err := c.do(ctx, http.MethodGet, path, nil, &page); err != nil {
			return err
		}
		older := false
		for _, s := range page.Stories {
			older = older || s.EndedAt != nil && s.EndedAt.Before(p.since)
			if p.wants(s) {
				found = append(found, s)
			}
		}
		if next = page.Next; next == "" || older || len(found) >= p.most {
			break
		}
	}
	slices.SortStableFunc(found, newestFirst)
	found = found[:min(len(found), p.most)]
	if asJSON {
		printJSON(api.Stories{Stories: found})
		return nil
	}
	writeStories(os.Stdout, found, time.Now(), width())
	return nil
}

func newestFirst(a, b api.Story) int {
	switch {
	case a.Outcome == nil && b.Outcome == nil:
		return b.StartedAt.Compare(a.StartedAt)
	case a.Outcome == nil:
		return -1
	case b.Outcome == nil:
		return 1
	}
	return b.EndedAt.Compare(*a.EndedAt)
}

func writeStories(out io.Writer, stories []api.Story, now time.Time, width int) {
	t := table{{"ID", "HAVIP", "EVENT", "OUTCOME", "WHEN", "WHY"}}
	for _, s := range stories {
		outcome, when, why := "open", s.StartedAt, s.Waits
		if s.Outcome != nil {
			outcome, when, why = string(*s.Outcome), *s.EndedAt, s.Reason+bracketed(s.Code)
		}
		if s.Successor != "" {
			why = "by story " + s.Successor
		}
		t = append(t, []string{
			s.ID, orDash(cmp.Or(s.Name, s.HAVIP)), strings.TrimPrefix(printable(s.Event.Type), "havip."), colored(outcome), ago(now, when), printable(why),
		})
	}
	t.fit(width)
	t.write(out)
}

// writeStory tells a story in the times at which things happened.
func writeStory(out io.Writer, s api.Story) {
	fmt.Fprintf(out, "story     %s\nevent     %s %s from %s\nhavip     %s %s (%s %s)\nwant      instance %s, release %s\n",
		s.ID, printable(s.Event.Type), printable(s.Event.ID), printable(s.Event.Source), s.Name, s.HAVIP, s.Cloud, s.Region,
		orDash(s.Want.Instance), orDash(s.Want.Release))
	t := teller{out: out, day: true}
	t.line(s.StartedAt, "started")
	t.tell(s)
	if s.Outcome == nil {
		t.line(s.NextAt, "next look, number %d; deadline %s", s.Attempt, stamp(s.Deadline))
		return
	}
	t.line(*s.EndedAt, "%s", verdict(s))
}
