package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"havip-functions/events"
	"havip-functions/shared/api"
)

func sendCommand() *cobra.Command {
	var fact events.Fact
	var id string
	var wait, asJSON bool
	cmd := &cobra.Command{
		Use:   "send TYPE|FILE|-",
		Short: "Send an event to the host: of a type of ours, or from a file",
		Long: `Send an event to the host: TYPE is instance.started, health.failed,
health.restored or sweep, with or without havip. before it. A FILE, or - for
standard input, may hold a CloudEvent, an array of them, or a cloud's own event.`,
		Example: `  havip send instance.started --cloud alibaba --region cn-hangzhou --instance i-db1 --wait
  havip send health.failed --cloud baidu --region bj --instance i-syG1
  havip send event.json`,
		Args: cobra.ExactArgs(1),
	}
	at := hostFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&fact.Cloud, "cloud", "", "alibaba or baidu")
	f.StringVar(&fact.Region, "region", "", "the instance's region")
	f.StringVar(&fact.Instance, "instance", "", "the instance's id")
	f.StringVar(&fact.HAVIP, "havip", "", "only this HAVIP; all of the instance's without it")
	f.StringVar(&fact.Reason, "reason", "", "why, for people")
	f.StringVar(&id, "id", "", "the event's id; the same id is the same event")
	f.BoolVar(&wait, "wait", false, "follow the story to its outcome")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	completes(cmd, "havip", completeHAVIPFlag)
	completes(cmd, "instance", completeMembers)
	completes(cmd, "cloud", cobra.FixedCompletions([]string{"alibaba", "baidu"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		body, err := eventBytes(args[0], id, fact)
		if err != nil {
			return err
		}
		if _, err := events.Read(body, time.Now()); err != nil { // a host would keep it as a dead letter
			return usage("the event can't be read, and was not sent: %v", err)
		}
		_, err = connect(*at).deliver(cmd.Context(), body, wait, asJSON)
		return err
	}
	return cmd
}

// deliver sends an event and says what became of it.
func (c client) deliver(ctx context.Context, body []byte, wait, asJSON bool) ([]api.Story, error) {
	a, err := c.send(ctx, body)
	if err != nil {
		return nil, err
	}
	if !wait {
		if asJSON {
			printJSON(a)
			return nil, nil
		}
		printTaken(a)
		return nil, nil
	}
	var ids []string
	for _, e := range a.Accepted {
		ids = append(ids, e.Stories...)
	}
	stories, err := c.wait(ctx, ids, os.Stderr)
	if err != nil {
		return stories, err
	}
	return stories, conclude(stories, asJSON)
}

// eventBytes reads a file, or makes an event of a type of ours.
func eventBytes(what, id string, fact events.Fact) ([]byte, error) {
	data, known := typed(what, fact)
	if known {
		return encode(events.New(id, time.Now().UTC(), data))
	}
	if what == "-" {
		return io.ReadAll(os.Stdin)
	}
	body, err := os.ReadFile(what) //nolint:gosec // the user names it
	if err != nil {
		return nil, usage("%q is neither a type of event nor a file: %v; types are instance.started, health.failed, health.restored, sweep", what, err)
	}
	return body, nil
}

func typed(name string, fact events.Fact) (events.Data, bool) {
	switch "havip." + strings.TrimPrefix(name, "havip.") {
	case events.TypeInstanceStarted:
		return events.InstanceStarted(fact), true
	case events.TypeHealthFailed:
		return events.HealthFailed(fact), true
	case events.TypeHealthRestored:
		return events.HealthRestored(fact), true
	case events.TypeSweep:
		return events.Sweep{Cloud: fact.Cloud, Region: fact.Region, HAVIP: fact.HAVIP}, true
	}
	return nil, false
}

func encode(e events.Event) ([]byte, error) {
	ce, err := e.CloudEvent()
	if err != nil {
		return nil, usage("%v", err)
	}
	return events.Encode(ce)
}

func printTaken(t api.Taken) {
	for _, e := range t.Accepted {
		word := "accepted"
		if e.Duplicate {
			word = "known already"
		}
		fmt.Printf("%s  %s  stories %s\n", e.ID, word, orNobody(e.Stories))
	}
}
