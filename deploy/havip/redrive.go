package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"havip-functions/shared/api"

	"github.com/spf13/cobra"
)

func deadRedriveCommand() *cobra.Command {
	var from string
	var why api.Redriving
	cmd := &cobra.Command{
		Use:   "redrive [ID]",
		Short: "Try a dead letter again: without --reason it only tells what that would do",
		Long: `Try a dead letter again. Without --reason it only tells what that would do.
It may say no more than its sender could: what a reporter sent recovers nothing. Who
has read it (havip dead show) may vouch for it with --as-operator.
--from reads what a cloud's own dead-letter queue gave: the record that Function
Compute or Lambda sends to a destination, or the answer of SQS receive-message.`,
		Example: `  havip dead redrive 3f2a9c0d8b7e6f5a4d3c2b1a
  havip dead redrive 3f2a9c0d8b7e6f5a4d3c2b1a --reason "fixed the sender"
  havip dead redrive --from record.json --reason "the ledger was away"`,
		Args: cobra.MaximumNArgs(1),
	}
	at := hostFlag(cmd)
	cmd.Flags().StringVar(&from, "from", "", "a file with a queue's or destination's record")
	cmd.Flags().StringVar(&why.Reason, "reason", "", "why; without it nothing is done")
	cmd.Flags().BoolVar(&why.AsOperator, "as-operator", false, "let it say what an operator may")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c := connect(*at)
		why.Actor = actor()
		switch {
		case (from == "") == (len(args) == 0):
			return usage("name one dead letter, or --from a file")
		case from != "":
			return c.redriveFile(cmd, from, why.Reason)
		}
		return c.redrive(cmd, args[0], why)
	}
	return cmd
}

func (c client) redrive(cmd *cobra.Command, id string, why api.Redriving) error {
	body, err := json.Marshal(why)
	if err != nil {
		return err
	}
	var answer struct {
		api.Taken
		api.Plans
	}
	err = c.do(cmd.Context(), http.MethodPost, "/api/deadletters/"+url.PathEscape(id)+"/redrive", body, &answer)
	if err != nil {
		return err
	}
	if why.Reason == "" {
		fmt.Fprintln(os.Stderr, "nothing was done; give --reason to do it")
		return printPlans(answer.Plans.Plans, false)
	}
	printTaken(answer.Taken)
	return nil
}

func (c client) redriveFile(cmd *cobra.Command, path, reason string) error {
	text, err := os.ReadFile(path) //nolint:gosec // the user names it
	if err != nil {
		return usage("%v", err)
	}
	payloads, err := enclosed(text)
	if err != nil {
		return usage("%s: %v", path, err)
	}
	for _, p := range payloads {
		if reason == "" {
			err = c.plan(cmd.Context(), p, false)
		} else {
			_, err = c.deliver(cmd.Context(), p, false, false)
		}
		if err != nil {
			return err
		}
	}
	if reason == "" {
		fmt.Fprintln(os.Stderr, "nothing was done; give --reason to do it")
	}
	return nil
}

// enclosed takes the events out of the record of a destination (Function
// Compute, Lambda) or out of the messages of SQS.
func enclosed(text []byte) ([][]byte, error) {
	var record struct {
		RequestPayload json.RawMessage `json:"requestPayload"`
		Messages       []struct{ Body string }
		Records        []struct {
			Body string `json:"body"`
		}
	}
	if err := json.Unmarshal(text, &record); err != nil {
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	var found [][]byte
	for _, m := range record.Messages {
		found = append(found, []byte(m.Body))
	}
	for _, m := range record.Records {
		found = append(found, []byte(m.Body))
	}
	if len(record.RequestPayload) > 0 {
		found = append(found, unquoted(record.RequestPayload))
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("neither requestPayload, Messages nor Records in it; give a destination's record or the answer of receive-message")
	}
	return found, nil
}

// unquoted is a payload that is JSON as a string (Function Compute) or as it is
// (Lambda).
func unquoted(raw json.RawMessage) []byte {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []byte(text)
	}
	return raw
}
