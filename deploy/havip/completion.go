package main

import (
	"context"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"havip-functions/shared/api"
)

// completing is how long a shell waits for the host.
const completing = 2 * time.Second

// completeHAVIPs completes the one HAVIP of a command, from the host's roster.
func completeHAVIPs(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	list := hostsRoster(cmd)
	names := make([]string, 0, len(list.HAVIPs))
	for _, h := range list.HAVIPs {
		names = append(names, cobra.CompletionWithDesc(h.Name, h.ID+", "+h.Cloud+" "+h.Region))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeHAVIPFlag completes a flag that names a HAVIP.
func completeHAVIPFlag(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return completeHAVIPs(cmd, nil, typed)
}

// completeMembers completes a flag that names a member of the command's HAVIP.
func completeMembers(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var members []string
	for _, h := range hostsRoster(cmd).HAVIPs {
		if len(args) == 0 || args[0] == h.Name || args[0] == h.ID {
			members = append(members, h.Members...)
		}
	}
	return members, cobra.ShellCompDirectiveNoFileComp
}

// hostsRoster is what the host says, nothing where there is none.
func hostsRoster(cmd *cobra.Command) api.Roster {
	at, _ := cmd.Flags().GetString("host") // each such command has it
	ctx, cancel := context.WithTimeout(cmd.Context(), completing)
	defer cancel()
	list, _ := connect(at).roster(ctx)
	return list
}

func (c client) roster(ctx context.Context) (api.Roster, error) {
	var list api.Roster
	return list, c.do(ctx, http.MethodGet, "/api/roster", nil, &list)
}

// completes lets a flag of the command be completed.
func completes(cmd *cobra.Command, flag string, by cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, by); err != nil {
		panic(err) // the command has no such flag
	}
}
