package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"havip-functions/events"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
)

func eventsCommand() *cobra.Command {
	var asJSON bool
	var after string
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Print each outcome as it happens, a line each",
		Long: `Print each outcome as it happens, a line each, until it is interrupted. A host that goes
away is waited for, and nothing that happened meanwhile is left out.`,
		Example: `  havip events
  havip events --json | jq -r .data.outcome
  havip events --after 0          from the oldest that the host has, 30 days`,
		Args: cobra.NoArgs,
	}
	at := hostFlag(cmd)
	cmd.Flags().StringVar(&after, "after", "", "begin after this place in the host's stream of outcomes; 0 is its beginning")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print each event as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		f := following{client: connect(*at), place: after, out: os.Stdout, asJSON: asJSON}
		return f.run(cmd.Context())
	}
	return cmd
}

// following is where one is in the host's stream of outcomes.
type following struct {
	client
	place  string
	out    io.Writer
	asJSON bool

	heard, waiting bool // the host, at all; for it, now
}

// deaf is how long the host may say nothing: it says that it lives every five seconds.
const deaf = 20 * time.Second

// run follows until the context ends, or the host refuses us. One that was heard once is
// waited for.
func (f *following) run(ctx context.Context) error {
	for {
		err := f.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // it was interrupted, which is how it ends
		case !f.heard || !away(err):
			return err
		case !f.waiting:
			fmt.Fprintln(os.Stderr, "havip: the host is away; trying on")
		}
		f.waiting = true
		pause(ctx, time.Second)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// follow prints until the stream breaks off.
func (f *following) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.base+"/live?after="+f.place, nil)
	if err != nil || r.URL.Host == "" || r.URL.User != nil {
		return usage("--host (HAVIP_HOST) is no address; give http://host:port alone, and the token in HAVIP_OPERATOR_TOKEN")
	}
	ours, err := guard.FromEnvironment(f.getenv)
	if err != nil {
		return usage("%v", err)
	}
	ours.Show(r, nil)
	silence := time.AfterFunc(deaf, cancel)
	defer silence.Stop()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return failure{exitNoServer, fmt.Errorf("no host at %s; start havip serve, or name another with --host", f.base)}
	}
	defer answer.Body.Close() //nolint:errcheck // it is read, or broke off
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<20)) // what there is of it
		return refusal(answer.StatusCode, text)
	}
	f.heard, f.waiting = true, false
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	kind := ""
	for lines.Scan() {
		silence.Reset(deaf)
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case name == "event":
			kind = value
		case name == "id":
			f.place = value
		case name == "data" && kind == "outcome":
			f.print(value)
		}
	}
	return failure{exitNoServer, fmt.Errorf("%w", cmp.Or(lines.Err(), io.ErrUnexpectedEOF))}
}

func (f *following) print(event string) {
	if f.asJSON {
		fmt.Fprintln(f.out, event)
		return
	}
	list, err := events.Read([]byte(event), time.Now())
	if err != nil || len(list) != 1 {
		fmt.Fprintln(f.out, printable(event))
		return
	}
	o, _ := list[0].Data.(events.Outcome)
	read := ""
	if o.Outcome != string(havip.Refused) && o.Outcome != string(havip.Ignored) || len(o.Holders) > 0 { // else nobody may have looked
		read = fmt.Sprintf("held by %s, %s serves; ", orNobody(o.Holders), orNone(o.Serving))
	}
	fmt.Fprintf(f.out, "%s  %s %s: %sstory %s", o.EndedAt.Local().Format("15:04:05.000"),
		printable(cmp.Or(o.Name, o.HAVIP, "no HAVIP")), colored(o.Outcome), read, o.Story)
	for _, more := range []string{o.Rule + bracketed(o.Code), o.Advice} {
		if more != "" {
			fmt.Fprintf(f.out, "; %s", printable(more))
		}
	}
	fmt.Fprintln(f.out)
}
