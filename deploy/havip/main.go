// Command havip is the operator's: it runs the functions on a host of one's own,
// simulates both clouds, and helps a person to look and to recover.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitGood     = 0 // attached or unchanged
	exitOther    = 1 // any other outcome
	exitUsage    = 2
	exitNoServer = 3 // the host could not be reached
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// failure is an error with the exit code that it asks for.
type failure struct {
	code int
	err  error
}

func (f failure) Error() string { return f.err.Error() }

func (f failure) Unwrap() error { return f.err }

func other(format string, args ...any) error {
	return failure{exitOther, fmt.Errorf(format, args...)}
}

func usage(format string, args ...any) error {
	return failure{exitUsage, fmt.Errorf(format, args...)}
}

// newRoot is the whole command.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "havip",
		Short: "Keep high-availability virtual IPs on healthy instances, on Alibaba Cloud and Baidu AI Cloud",
		Long: `Keep high-availability virtual IPs (HAVIPs) on healthy instances, on Alibaba Cloud
and Baidu AI Cloud.

Exit codes: 0 attached or unchanged, 1 any other outcome, 2 usage, 3 could not
reach the host. Data goes to stdout, words to stderr.`,
		Example: `  havip demo                      one failover on each cloud, on simulated ones
  havip serve --simulate          a host with both clouds simulated
  havip status                    who holds each HAVIP, and who serves
  havip recover orders-db --reason "db1 is gone" --wait`,
		SilenceUsage: true, SilenceErrors: true, Version: version(),
	}
	root.AddCommand(demoCommand(), serveCommand(), simulateCommand(), sendCommand(), recoverCommand(),
		statusCommand(), planCommand(), storyCommand(), deadCommand(), auditCommand(), rosterCommand(), freezeCommand(), doctorCommand(), eventsCommand(), manCommand())
	root.SetVersionTemplate("havip {{.Version}}\n")
	return root
}

func run(ctx context.Context, args []string) int {
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitGood
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(os.Stderr, "havip: "+text)
	}
	if f := (failure{}); errors.As(err, &f) {
		return f.code
	}
	return exitUsage // cobra's own: an unknown command or flag
}
