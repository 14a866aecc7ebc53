package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"havip-functions/shared/api"
	"havip-functions/shared/audit"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "audit",
		Short:   "Copy the record of what was done to the clouds and by hand, and verify it",
		Example: "  havip audit export > audit.jsonl\n  havip audit verify audit.jsonl",
	}
	cmd.AddCommand(auditExportCommand(), auditVerifyCommand())
	return chooses(cmd)
}

func auditExportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "Print the host's whole record as JSON lines", Args: cobra.NoArgs,
		Long: `Print the host's whole record as JSON lines. Keep copies elsewhere: each proves what
stood there until then.`,
	}
	at := hostFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return connect(*at).audit(cmd.Context(), func(l audit.Line) error { printJSON(l); return nil })
	}
	return cmd
}

func auditVerifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "verify [FILE]", Short: "Verify an export, or the host's record", Args: cobra.MaximumNArgs(1),
		Long: `Verify an export, - for one on stdin: that nothing in it was changed, taken out or put
in. Without a file the host's record is verified. What was cut off at the end shows
beside an older export alone.

Exit codes: 0 all of it holds, 1 an entry doesn't.`,
	}
	at := hostFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var head audit.Head
		var err error
		if len(args) > 0 {
			head, err = verifyFile(args[0])
		} else {
			err = connect(*at).audit(cmd.Context(), func(l audit.Line) error { return follow(&head, l) })
		}
		if err != nil {
			return err
		}
		fmt.Printf("%d entries hold; the last hash is %s\n", head.N, cmp.Or(head.Hash, "none"))
		return nil
	}
	return cmd
}

func verifyFile(path string) (audit.Head, error) {
	from := io.Reader(os.Stdin)
	if path != "-" {
		file, err := os.Open(path) //nolint:gosec // the user names it
		if err != nil {
			return audit.Head{}, usage("%v", err)
		}
		defer file.Close() //nolint:errcheck // it was read alone
		from = file
	}
	head, err := audit.Verify(from)
	return head, broken(head, err)
}

func follow(head *audit.Head, l audit.Line) (err error) {
	*head, err = head.Follow(l)
	return broken(*head, err)
}

func broken(head audit.Head, err error) error {
	if err == nil {
		return nil
	}
	return other("%v; the %d before it hold", err, head.N)
}

// audit reads the host's whole record.
func (c client) audit(ctx context.Context, each func(audit.Line) error) error {
	for n := 0; ; {
		var page api.Audit
		err := c.do(ctx, http.MethodGet, fmt.Sprint("/api/audit?after=", n), nil, &page)
		if err != nil || len(page.Lines) == 0 {
			return err
		}
		for _, l := range page.Lines {
			if err := each(l); err != nil {
				return err
			}
			n++
		}
	}
}
