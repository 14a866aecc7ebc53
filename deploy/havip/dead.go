package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"havip-functions/shared/api"
	"havip-functions/shared/ledger"
)

func deadCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "dead",
		Short:   "Show the events that could not be read, and try them again",
		Example: "  havip dead list\n  havip dead show 3f2a9c0d8b7e6f5a4d3c2b1a",
	}
	cmd.AddCommand(deadListCommand(), deadShowCommand(), deadRedriveCommand())
	return chooses(cmd)
}

func deadListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{Use: "list", Short: "List them, the newest first", Args: cobra.NoArgs}
	at := hostFlag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var answer api.DeadLetters
		if err := connect(*at).do(cmd.Context(), http.MethodGet, "/api/deadletters", nil, &answer); err != nil {
			return err
		}
		if asJSON {
			printJSON(answer)
			return nil
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tLAST\tTIMES\tBYTES\tFROM\tTYPE\tREASON")
		for _, d := range answer.DeadLetters {
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\t%s\n",
				d.ID, d.LastAt.Local().Format("2006-01-02 15:04:05"), d.Attempts, d.Size, d.Scope, orUnknown(d.Type), printable(d.Reason))
		}
		return w.Flush()
	}
	return cmd
}

func deadShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show ID", Short: "Print one as it arrived", Args: cobra.ExactArgs(1),
		Long: `Print one as it arrived; on a terminal what would steer it is written out.`,
	}
	at := hostFlag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with the bytes as base64")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var d ledger.DeadLetter
		if err := connect(*at).do(cmd.Context(), http.MethodGet, "/api/deadletters/"+url.PathEscape(args[0]), nil, &d); err != nil {
			return err
		}
		if asJSON {
			printJSON(d)
			return nil
		}
		fmt.Fprintf(os.Stderr, "from a %s: %s, %d times, last at %s\n", d.Scope, printable(d.Reason), d.Attempts, d.LastAt)
		if terminal(os.Stdout) {
			fmt.Println(printable(string(d.Bytes)))
			return nil
		}
		_, err := os.Stdout.Write(d.Bytes)
		return err
	}
	return cmd
}
