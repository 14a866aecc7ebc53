package main

import (
	"fmt"
	"os"

	"havip-functions/shared/api"

	"github.com/spf13/cobra"
)

func storyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "story ID",
		Short:   "Tell one story: its event, its calls, how it ended",
		Example: "  havip story 3f2a9c0d8b7e6f5a4d3c2b1a",
		Args:    cobra.ExactArgs(1),
	}
	at := hostFlag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := connect(*at).story(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if asJSON {
			printJSON(s)
			return nil
		}
		printStory(s)
		return nil
	}
	return cmd
}

func printStory(s api.Story) {
	fmt.Printf("story     %s\nevent     %s %s from %s\nhavip     %s %s (%s %s)\nwant      instance %s, release %s\n",
		s.ID, s.Event.Type, s.Event.ID, s.Event.Source, s.Name, s.HAVIP, s.Cloud, s.Region,
		orDash(s.Want.Instance), orDash(s.Want.Release))
	t := teller{out: os.Stdout}
	t.line(s.StartedAt, "started")
	t.tell(s)
	if s.Outcome == nil {
		t.line(s.NextAt, "next look, number %d; deadline %s", s.Attempt, s.Deadline.Local().Format("15:04:05"))
		return
	}
	t.line(*s.EndedAt, "%s", verdict(s))
}
