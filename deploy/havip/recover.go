package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"havip-functions/events"
	"havip-functions/shared/api"
)

// recovery is what the flags of recover say.
type recovery struct {
	host   string
	ask    events.Recover
	direct bool
	target string
	roster string
	wait   bool
	yes    bool
	asJSON bool
}

func recoverCommand() *cobra.Command {
	var r recovery
	cmd := &cobra.Command{
		Use:   "recover HAVIP",
		Short: "Attach, release or move a HAVIP by hand",
		Long: `Attach, release or move a HAVIP by hand. HAVIP is a name of the roster or an id.
What is left out of --instance and --release is chosen. With --direct it works
without a host or a ledger, from wherever there are credentials.`,
		Example: `  havip recover orders-db --reason "i-db1 lost its disk" --wait
  havip recover orders-db --instance i-db2 --release i-db1 --force --reason "db1 hangs" --wait
  havip recover orders-db --reason drill --dry-run
  havip recover orders-db --reason "our host is down too" --direct --roster roster.yaml
  havip recover orders-db --reason "i-db1 hangs" --target fc:cn-hangzhou
  havip recover orders-db --reason "i-db1 hangs" --target lambda:eu-west-1`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: completeHAVIPs,
	}
	at := hostFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&r.ask.Instance, "instance", "", "attach this member")
	f.StringVar(&r.ask.Release, "release", "", "detach this holder")
	f.BoolVar(&r.ask.Force, "force", false, "detach it even while it serves")
	f.BoolVar(&r.ask.AllowGap, "allow-gap", false, "detach even the last healthy holder")
	f.StringVar(&r.ask.Reason, "reason", "", "why; it stands in the outcome (required)")
	f.BoolVar(&r.ask.DryRun, "dry-run", false, "say what would be done first, and do nothing")
	f.BoolVar(&r.direct, "direct", false, "work without a host")
	f.StringVar(&r.target, "target", "", "hand it to the functions at fc:REGION or lambda:REGION instead of a host, with /FUNCTION where it isn't havip-recover")
	f.StringVar(&r.roster, "roster", "", "with --direct and --target: the roster (HAVIP_ROSTER, else roster.yaml)")
	f.BoolVar(&r.wait, "wait", false, "follow the story to its outcome")
	f.BoolVar(&r.yes, "yes", false, "don't ask before --force or --allow-gap; without a terminal nobody can be asked")
	f.BoolVar(&r.asJSON, "json", false, "print JSON")
	completes(cmd, "instance", completeMembers)
	completes(cmd, "release", completeMembers)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r.host, r.ask.HAVIP, r.ask.Actor = *at, args[0], actor()
		return r.run(cmd.Context())
	}
	return cmd
}

func (r recovery) run(ctx context.Context) error {
	if strings.TrimSpace(r.ask.Reason) == "" {
		return usage("--reason is missing; say why, it stands in the outcome")
	}
	if err := r.confirmed(); err != nil {
		return err
	}
	if r.direct {
		return r.directly(ctx)
	}
	if r.target != "" {
		return r.remotely(ctx, r.target)
	}
	c := connect(r.host)
	if err := r.name(ctx, c); err != nil {
		return err
	}
	body, err := encode(events.New("", time.Now().UTC(), r.ask))
	if err != nil {
		return err
	}
	if r.ask.DryRun {
		return c.plan(ctx, body, r.asJSON)
	}
	stories, err := c.deliver(ctx, body, r.wait, r.asJSON)
	return cmp.Or(err, served(stories))
}

// name finds the HAVIP on the host's roster, which asks no cloud.
func (r *recovery) name(ctx context.Context, c client) error {
	list, err := c.roster(ctx)
	if err != nil {
		return err
	}
	named := slices.DeleteFunc(list.HAVIPs, func(h api.Rostered) bool { return h.ID != r.ask.HAVIP && h.Name != r.ask.HAVIP })
	if len(named) != 1 {
		return usage("%s is not on the host's roster; havip status lists it", r.ask.HAVIP)
	}
	r.ask.Cloud, r.ask.Region, r.ask.HAVIP = named[0].Cloud, named[0].Region, named[0].ID
	return nil
}

// confirmed asks a person at a terminal before what can take an address away.
func (r recovery) confirmed() error {
	risky := (r.ask.Force || r.ask.AllowGap) && !r.ask.DryRun
	switch {
	case r.yes || !risky:
		return nil
	case !terminal(os.Stdin):
		return usage("--force and --allow-gap can take the address away, and there is no terminal to ask at; add --yes, nothing was done")
	}
	fmt.Fprintf(os.Stderr, "%s may lose its serving holder for a moment. Go on? [y/N] ", r.ask.HAVIP)
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n') // the end of input is a no
	if !strings.EqualFold(strings.TrimSpace(answer), "y") {
		return usage("not confirmed; nothing was done")
	}
	return nil
}

func actor() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if machine, err := os.Hostname(); err == nil {
		name += "@" + machine
	}
	return name
}

// directly works without a host: it takes the request through its whole story here.
func (r recovery) directly(ctx context.Context) error {
	d, err := openDirect(r.roster, os.Stderr)
	if err != nil {
		return err
	}
	p, err := d.find(r.ask.HAVIP)
	if err != nil {
		return err
	}
	r.ask.Cloud, r.ask.Region, r.ask.HAVIP = p.Cloud, p.Region, p.ID
	body, err := encode(events.New("", time.Now().UTC(), r.ask))
	if err != nil {
		return err
	}
	if r.ask.DryRun {
		return d.plan(ctx, body, r.asJSON)
	}
	fmt.Fprintf(os.Stderr, "%s: asking %s %s itself, without a host; each look waits %s at most for its answer, the story %s at most\n",
		p.Name, p.Cloud, p.Region, longestCall, p.Deadline)
	return d.run(ctx, body, r.asJSON)
}
