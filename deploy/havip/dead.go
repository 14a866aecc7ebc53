package main

import (
	"fmt"
	"net/http"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"havip-functions/shared/ledger"
)

func deadCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "dead",
		Short:   "Show the events that could not be read, and try them again",
		Example: "  havip dead list\n  havip dead show 3f2a9c0d8b7e6f5a4d3c2b1a",
	}
	cmd.AddCommand(deadListCommand(), deadShowCommand(), deadRedriveCommand())
	return cmd
}

func deadListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{Use: "list", Short: "List them, the newest first", Args: cobra.NoArgs}
	at := hostFlag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		letters, err := deadLetters(cmd, *at)
		if err != nil {
			return err
		}
		if asJSON {
			printJSON(map[string]any{"deadLetters": letters})
			return nil
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tLAST\tTIMES\tREASON")
		for _, d := range letters {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", d.ID, d.LastAt.Local().Format("2006-01-02 15:04:05"), d.Attempts, d.Reason)
		}
		return w.Flush()
	}
	return cmd
}

func deadShowCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "show ID", Short: "Print one as it arrived", Args: cobra.ExactArgs(1)}
	at := hostFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		letters, err := deadLetters(cmd, *at)
		if err != nil {
			return err
		}
		for _, d := range letters {
			if d.ID == args[0] {
				fmt.Fprintf(os.Stderr, "%s, %d times, last at %s\n", d.Reason, d.Attempts, d.LastAt)
				_, err := os.Stdout.Write(d.Bytes)
				return err
			}
		}
		return other("no dead letter %s; havip dead list shows them", args[0])
	}
	return cmd
}

func deadLetters(cmd *cobra.Command, at string) ([]ledger.DeadLetter, error) {
	var answer struct {
		DeadLetters []ledger.DeadLetter `json:"deadLetters"`
	}
	err := connect(at).do(cmd.Context(), http.MethodGet, "/api/deadletters", nil, &answer)
	return answer.DeadLetters, err
}
