package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCommand writes what `man havip` shows, for who packages us.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "Write manual pages into a folder",
		Example: "  havip man /usr/local/share/man/man1",
		Args:    cobra.ExactArgs(1),
		Hidden:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // all may read them
				return usage("%v", err)
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // the same bytes each time
			return doc.GenManTree(root, &doc.GenManHeader{Title: "HAVIP", Section: "1", Source: "havip"}, args[0])
		},
	}
}
