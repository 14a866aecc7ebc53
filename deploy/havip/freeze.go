package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"havip-functions/shared/api"

	"github.com/spf13/cobra"
)

func freezeCommand() *cobra.Command {
	var all, lift, asJSON bool
	var until, reason string
	cmd := &cobra.Command{
		Use:   "freeze [HAVIP]",
		Short: "Keep our hands off a HAVIP for a while; a recover by hand still passes",
		Long: `Keep our hands off a HAVIP, or off all with --all, until a time. Events are still
remembered, and a recover by hand passes. --lift opens the brake that closes after
too many failovers.`,
		Example: `  havip freeze orders-db --until 2h --reason "switch maintenance"
  havip freeze --all --until 2026-12-01T06:00:00Z --reason "network change"
  havip freeze orders-db --until now --reason done
  havip freeze --lift`,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: completeHAVIPs,
	}
	at := hostFlag(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "every HAVIP of the roster")
	cmd.Flags().StringVar(&until, "until", "", "a duration (2h), a time (RFC 3339), or now to end it")
	cmd.Flags().StringVar(&reason, "reason", "", "why; it stands in the outcomes")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&lift, "lift", false, "let failovers through again after too many")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c := connect(*at)
		if lift && (len(args) > 0 || all || until != "") {
			return usage("--lift opens the brake, and takes no HAVIP; --until now ends a freeze")
		}
		if lift {
			return c.lift(cmd, api.Lifting{Actor: actor(), Reason: reason}, asJSON)
		}
		f := api.Freezing{HAVIP: strings.Join(args, ""), All: all, Reason: reason, Actor: actor()}
		if (f.HAVIP == "") != all {
			return usage("name one HAVIP, or --all")
		}
		if strings.TrimSpace(reason) == "" {
			return usage("--reason is missing; say why, it stands in the outcomes")
		}
		var err error
		if f.Until, err = moment(until); err != nil {
			return err
		}
		return c.freeze(cmd, f, asJSON)
	}
	return cmd
}

// moment reads now, a duration from now, or a time.
func moment(text string) (time.Time, error) {
	now := time.Now().UTC().Truncate(time.Second)
	if text == "now" {
		return now, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, usage("--until %q is neither now, nor a duration like 2h, nor a time like 2026-12-01T06:00:00Z", text)
	}
	return t, nil
}

func (c client) freeze(cmd *cobra.Command, f api.Freezing, asJSON bool) error {
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	var answer api.Frozen
	if err := c.do(cmd.Context(), http.MethodPost, "/api/freeze", body, &answer); err != nil {
		return err
	}
	if asJSON {
		printJSON(answer)
		return nil
	}
	word := "frozen until " + f.Until.Format(time.RFC3339)
	if !f.Until.After(time.Now()) {
		word = "no longer frozen"
	}
	fmt.Printf("%s: %s\n", strings.Join(answer.Frozen, ", "), word)
	return nil
}

func (c client) lift(cmd *cobra.Command, l api.Lifting, asJSON bool) error {
	var answer api.Lifted
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err := c.do(cmd.Context(), http.MethodPost, "/api/lift", body, &answer); err != nil {
		return err
	}
	if asJSON {
		printJSON(answer)
		return nil
	}
	for _, b := range answer.Lifted {
		fmt.Printf("%s %s %s: failovers pass again; none had since %s\n", b.Cloud, b.Account, b.Region, b.Since.Format(time.RFC3339))
	}
	if len(answer.Lifted) == 0 {
		fmt.Println("the brake was open everywhere")
	}
	return nil
}
