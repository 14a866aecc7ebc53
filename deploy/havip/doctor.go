package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/yamlfile"
)

func doctorCommand() *cobra.Command {
	var rosterPath, nats, monitors string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check roster, host, credentials and clouds, and say what is wrong with each",
		Long: `Check the roster, the host and whether it goes by the same roster, and for each HAVIP
whether the cloud lets us read it, whether it is as it should be, and whether its members
exist, run, and are in its network. Of a NATS cluster it checks whether what it has survives
a node. It changes nothing. What can't be checked it says. It exits with 1 where something
is wrong.`,
		Example: "  havip doctor --roster roster.yaml",
		Args:    cobra.NoArgs,
	}
	at := hostFlag(cmd)
	cmd.Flags().StringVar(&rosterPath, "roster", "", "the roster (HAVIP_ROSTER, else roster.yaml)")
	cmd.Flags().StringVar(&nats, "nats", "", "the cluster that the hosts share (HAVIP_NATS)")
	cmd.Flags().StringVar(&monitors, "nats-monitor", "", "the monitoring addresses of its nodes, http://10.0.0.1:8222 and others after a comma")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		e := examination{silent: asJSON, findings: []finding{}}
		if d, err := openDirect(rosterPath, os.Stderr); err != nil { // the host may be well
			e.say(err.Error(), "roster", "")
			e.host(cmd.Context(), connect(*at), "")
		} else {
			e.say("", "roster", fmt.Sprintf("%d HAVIPs, hash %s", len(d.roster.Policies()), d.roster.Current().Hash))
			e.host(cmd.Context(), connect(*at), d.roster.Current().Hash)
			for _, p := range d.roster.Policies() {
				e.examine(cmd.Context(), d, p)
			}
		}
		if at := cmp.Or(nats, os.Getenv("HAVIP_NATS")); at != "" {
			e.cluster(cmd.Context(), at, monitors)
		}
		if asJSON {
			printJSON(map[string]any{"findings": e.findings})
		}
		if e.wrong > 0 {
			return other("%d things are wrong", e.wrong)
		}
		return nil
	}
	return cmd
}

// finding is what was found out about one thing: ok, failed, or unknown where it can't
// be checked.
type finding struct {
	Verdict string `json:"verdict"`
	What    string `json:"what"`
	Says    string `json:"says"`
}

// examination tells one line a thing and counts what is wrong.
type examination struct {
	silent   bool
	wrong    int
	findings []finding
}

func (e *examination) say(wrong, what, fine string) {
	if wrong == "" {
		e.tell("ok", what, fine)
		return
	}
	e.wrong++
	e.tell("failed", what, wrong)
}

func (e *examination) tell(verdict, what, says string) {
	e.findings = append(e.findings, finding{verdict, what, says})
	if !e.silent {
		fmt.Printf("%s  %s: %s\n", colored(verdict), what, says)
	}
}

// host asks whether the host answers, lets us in, and goes by the same roster, where
// there is one to compare with.
func (e *examination) host(ctx context.Context, c client, ours string) {
	list, err := c.roster(ctx)
	e.say(problem(err), "host", c.base+" answers")
	if err != nil {
		return
	}
	e.say(list.Refused, "host's roster file", "its newest version serves")
	switch ours {
	case "":
	case list.Hash:
		e.say("", "host's roster", "the same as this one")
	default:
		e.say(fmt.Sprintf("the host goes by %s, this one is %s; give both the same file, or name the host's with --roster", orUnknown(list.Hash), ours), "host's roster", "")
	}
	e.token(c)
}

// token says how the operator's token travels.
func (e *examination) token(c client) {
	at, err := url.Parse(c.base)
	given := c.getenv("HAVIP_OPERATOR_TOKEN") != ""
	local := err == nil && (at.Hostname() == "localhost" || strings.HasPrefix(at.Hostname(), "127.") || at.Hostname() == "::1")
	switch {
	case err != nil || !given && local:
		e.tell("ok", "token", "none: the host believes who is on its machine; set HAVIP_OPERATOR_TOKEN before a proxy stands in front")
	case !local && at.Scheme != "https":
		e.say("it travels unencrypted to "+at.Host+"; put TLS in front of the host, and name it with https://", "token", "")
	default:
		e.tell("ok", "token", "it was believed")
	}
}

// examine reads one HAVIP and its members, as a look would.
func (e *examination) examine(ctx context.Context, d *direct, p havip.Policy) {
	v := d.keeper(ledger.NewMemory()).Status(ctx, p.ID)[0]
	e.proxy(p)
	witness := ""
	if p.Probe.How != "" {
		witness = " by the cloud's word; the probe is the host's: havip status"
	}
	e.say(v.Problem, p.Name, fmt.Sprintf("%s, held by %d of %d, %s%s", v.Status, len(v.Holders), p.Hold, announced(v.Announcement), witness))
	if v.Problem != "" {
		return
	}
	for _, wrong := range v.Wrong {
		e.say(wrong, p.Name, "")
	}
	e.entry(ctx, d, p, v)
}

// live compares an entry of the roster with what the cloud has.
func (e *examination) live(ctx context.Context, d *direct, p havip.Policy) {
	v := d.keeper(ledger.NewMemory()).Status(ctx, p.ID)[0]
	e.say(v.Problem, p.Name, fmt.Sprintf("%s has %s in %s", p.Cloud, p.ID, cmp.Or(v.Network, p.Region)))
	if v.Problem == "" {
		e.entry(ctx, d, p, v)
	}
}

// entry says of all that an entry names whether it is there, and can hold the HAVIP.
func (e *examination) entry(ctx context.Context, d *direct, p havip.Policy, v havip.View) {
	_, fleet, err := d.clouds(ctx, p, "doctor")
	if err != nil {
		e.say(err.Error(), p.Name, "")
		return
	}
	e.members(ctx, fleet, p, v)
	e.tell("unknown", p.Name+" right to attach", "the cloud has no dry run for it; "+grants(p))
}

// grants says what the right to attach takes.
func grants(p havip.Policy) string {
	if p.Cloud == "alibaba" {
		return "havip roster policy prints the RAM policy to compare with"
	}
	return "the key's user needs to operate HAVIPs and read BCC"
}

// proxy says where calls to the cloud go through, where they do.
func (e *examination) proxy(p havip.Policy) {
	names := map[string]string{"alibaba": "https://vpc." + p.Region + ".aliyuncs.com", "baidu": "https://bcc." + p.Region + ".baidubce.com"}
	at := cmp.Or(os.Getenv("HAVIP_"+strings.ToUpper(p.Cloud)+"_ENDPOINT"), names[p.Cloud])
	r, err := http.NewRequest(http.MethodGet, strings.ReplaceAll(at, "{region}", p.Region), http.NoBody)
	if err != nil {
		e.say("HAVIP_"+strings.ToUpper(p.Cloud)+"_ENDPOINT is no address", p.Name+" endpoint", "")
		return
	}
	through, err := http.ProxyFromEnvironment(r)
	if err != nil || through != nil {
		e.say(problem(err), p.Name+" proxy", "calls to "+r.URL.Host+" go through "+through.Redacted())
	}
}

// members says of each whether it runs, exists, and is where it can hold the HAVIP.
func (e *examination) members(ctx context.Context, fleet havip.Fleet, p havip.Policy, v havip.View) {
	ids, instances := make([]string, 0, len(p.Members)), make([]string, 0, len(p.Members))
	for _, m := range p.Members {
		ids, instances = append(ids, m.ID), append(instances, m.Instance)
	}
	states, err := fleet.States(ctx, instances)
	e.say(problem(err), p.Name+" members", fmt.Sprintf("%d are listed", len(ids)))
	networks, unplaced := networksOf(ctx, fleet, ids)
	for _, m := range p.Members {
		network, known := networks[m.ID]
		switch state := states[m.Instance]; {
		case state == havip.Deleted, unplaced == nil && !known:
			e.say(unknownMember(ctx, fleet, p, v, m.ID), p.Name, "")
		case state.Down():
			e.say(fmt.Sprintf("%s is %s; start it, or take it off the roster", m.Instance, state), p.Name, "")
		case known && v.Network != "" && network != v.Network:
			e.say(fmt.Sprintf("%s is in %s, and the HAVIP in %s: it can't be attached; take it off the roster", m.ID, network, v.Network), p.Name, "")
		case err == nil:
			e.say("", p.Name, m.ID+" is "+cmp.Or(string(state), "not told by the cloud"))
		}
	}
	switch {
	case errors.Is(unplaced, errors.ErrUnsupported):
		e.tell("unknown", p.Name+" network", "not compared on "+p.Cloud+"; HAVIP and members must be in one VPC")
	case unplaced != nil:
		e.say(unplaced.Error(), p.Name+" network", "")
	}
}

func networksOf(ctx context.Context, fleet havip.Fleet, ids []string) (map[string]string, error) {
	s := havip.SurveyorOf(fleet)
	if s == nil {
		return nil, errors.ErrUnsupported
	}
	return s.Networks(ctx, ids)
}

// unknownMember tells a member that was probably misspelt from one that is gone.
func unknownMember(ctx context.Context, fleet havip.Fleet, p havip.Policy, v havip.View, id string) string {
	if s := havip.SurveyorOf(fleet); s != nil {
		near, _ := s.Neighbours(ctx, v.Network) // only to guess what was meant
		if meant := yamlfile.Nearest(id, near); meant != "" {
			return fmt.Sprintf("the cloud knows no %s in %s; did you mean %s?", id, p.Region, meant)
		}
	}
	return fmt.Sprintf("the cloud knows no %s in %s: it was deleted, or is in another account; take it off the roster", id, p.Region)
}

func problem(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
