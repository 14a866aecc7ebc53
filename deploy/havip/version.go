package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return versionOf(info)
}

// versionOf is the commit that the binary was built from, with its date, as the Go
// toolchain noted them.
func versionOf(info *debug.BuildInfo) string {
	noted := map[string]string{}
	for _, s := range info.Settings {
		noted[s.Key] = s.Value
	}
	commit := noted["vcs.revision"]
	if commit == "" {
		return info.Main.Version + ", built by " + info.GoVersion
	}
	text := commit[:min(12, len(commit))] + " of " + noted["vcs.time"]
	if noted["vcs.modified"] == "true" {
		text += ", changed since"
	}
	return text + ", built by " + info.GoVersion
}

// chooses is a command that only has others: an unknown one is an error, with the one
// that was probably meant.
func chooses(cmd *cobra.Command) *cobra.Command {
	cmd.Args, cmd.SuggestionsMinimumDistance = cobra.ArbitraryArgs, 2
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		text := fmt.Sprintf("%s has no %q", cmd.CommandPath(), args[0])
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return usage("%s; did you mean %s?", text, near[0])
		}
		return usage("%s; see %s --help", text, cmd.CommandPath())
	}
	return cmd
}
