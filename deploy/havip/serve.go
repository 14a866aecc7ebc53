package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"github.com/spf13/cobra"

	"havip-functions/shared/accounts"
	"havip-functions/shared/console"
	"havip-functions/shared/flow"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/notify"
	"havip-functions/shared/roster"
	"havip-functions/shared/runtime"
	"havip-functions/shared/runtime/host"
	"havip-functions/shared/simulator"
	"havip-functions/shared/trace"
)

// serving is what the flags of serve say.
type serving struct {
	addr, roster, data, nats string
	replicas                 int
	cert, key                string
	simulate                 bool
	associate                time.Duration
	limits                   host.Limits
	proxies                  []string
	log                      *slog.Logger
	getenv                   func(string) string
}

func serveCommand() *cobra.Command {
	s := serving{associate: 2 * time.Second, getenv: os.Getenv}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the functions on a host of your own",
		Long: `Run the functions on a host of your own: CloudEvents by POST /events, a console
at /, an API under /api. Its embedded engine keeps everything in the data folder;
with --nats it joins a JetStream cluster instead. The first line of stdout tells
the address once it is ready.

HAVIP_OPERATOR_TOKEN is what operators show: who recovers, freezes, or reads.
HAVIP_READER_TOKEN is for who only reads.
HAVIP_INGRESS_TOKEN or HAVIP_WEBHOOK_SECRET set what a sender of events must prove.
Without any of them it listens on loopback only, and believes who is there; set them
before you put a proxy in front, since a proxy on this machine speaks for others.`,
		Example: `  havip serve --simulate
  havip serve --roster roster.yaml --data /var/lib/havip
  havip serve --roster roster.yaml --nats nats://n1:4222,nats://n2:4222`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&s.addr, "addr", "127.0.0.1:8080", "where to listen, on loopback unless senders must prove themselves; port 0 picks a free one")
	f.StringVar(&s.roster, "roster", "", "the roster (HAVIP_ROSTER, else roster.yaml; the built-in one with --simulate)")
	f.StringVar(&s.data, "data", "", "the engine's folder (havip-data; one that goes with the process with --simulate)")
	f.StringVar(&s.nats, "nats", "", "a NATS JetStream cluster instead of the embedded engine (HAVIP_NATS, where no ps shows a password)")
	f.IntVar(&s.replicas, "replicas", 0, "copies of each stream in the cluster, at least: what is there is never lowered (3 where it has three nodes)")
	f.Float64Var(&s.limits.Rate, "rate", 500, "requests a second from one address")
	f.IntVar(&s.limits.Connections, "connections", 128, "connections of one address")
	f.StringSliceVar(&s.proxies, "behind-proxy", nil, "addresses (10.0.0.7, 10.0.0.0/24) of proxies whose X-Forwarded-For is believed")
	f.StringVar(&s.cert, "tls-cert", "", "answer by TLS, with this certificate and its chain (PEM); read anew when it changes")
	f.StringVar(&s.key, "tls-key", "", "its key (PEM)")
	f.BoolVar(&s.simulate, "simulate", false, "simulate both clouds in this process")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s.nats = cmp.Or(s.nats, s.getenv("HAVIP_NATS"))
		if s.limits.Rate <= 0 || s.limits.Connections <= 0 {
			return usage("--rate and --connections must be more than 0")
		}
		if s.replicas < 0 || s.replicas > 5 || s.replicas > 0 && s.nats == "" {
			return usage("--replicas must be 1 to 5, as NATS has them, of a cluster that --nats names")
		}
		s.log = slog.New(slog.NewTextHandler(os.Stderr, nil))
		return s.run(cmd.Context(), func(a addresses) { printJSON(a) })
	}
	return cmd
}

// prefixes reads addresses and networks.
func prefixes(texts []string) (list []netip.Prefix, err error) {
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if ip, bad := netip.ParseAddr(text); bad == nil {
			p, err = ip.Prefix(ip.BitLen())
		}
		if err != nil {
			return nil, usage("--behind-proxy %q is no address; write it like 10.0.0.7 or 10.0.0.0/24", text)
		}
		list = append(list, p)
	}
	return list, nil
}

// addresses is the first line of stdout.
type addresses struct {
	Addr string `json:"addr"`
	*simulator.Addrs
}

// run serves until the context ends; ready hears the addresses.
func (s serving) run(ctx context.Context, ready func(addresses)) error {
	getenv := s.getenv
	var simulated *simulator.Addrs
	var moves console.World
	if s.simulate {
		sim, listening, err := s.startSimulator(ctx)
		if err != nil {
			return err
		}
		defer sim.Close()
		simulated, moves = &listening.Addrs, &toy{Simulator: sim}
		getenv = againstSimulator(listening.Addrs, s.getenv)
	}
	forget, err := s.folder()
	if err != nil {
		return err
	}
	defer forget()
	if s.simulate && s.roster == "" && s.getenv("HAVIP_ROSTER") == "" {
		s.roster = string(roster.Builtin())
	}
	file, err := openRoster(s.roster)
	if err != nil {
		return err
	}
	file.Log = s.log
	believed, err := s.senders()
	if err != nil {
		return err
	}
	certificate, err := openCertificate(s.cert, s.key, s.log)
	if err != nil {
		return err
	}
	keys := accounts.New(getenv)
	tell, err := s.tell(keys)
	if err != nil {
		return usage("%v", err)
	}
	prober, err := runtime.Environment{Getenv: s.getenv}.Prober()
	if err != nil {
		return usage("%v", err)
	}
	config := host.Config{
		Addr: s.addr, Data: s.data, NATS: ledger.NATSFrom(s.nats, s.getenv), Copies: s.replicas, Roster: file, Clouds: keys.Clouds(havip.Credentials{}), Probe: prober, Tell: tell,
		Guard: believed, Limits: s.limits, TLS: certificate, World: moves, Log: s.log,
	}
	traces := trace.FromEnvironment(s.getenv, s.log)
	config.Ended = traces.Ended
	h, err := host.Open(ctx, config)
	if err != nil {
		return usage("%v", err)
	}
	defer traces.Start(ctx)()
	ready(addresses{h.Addr, simulated})
	if !believed.Open() && len(believed.Operators) == 0 {
		s.log.Warn("HAVIP_OPERATOR_TOKEN is not set: senders are let in, and nobody can recover or freeze through this host, nor look without HAVIP_READER_TOKEN")
	}
	s.log.Info("ready", "addr", h.Addr, "data", s.data, "roster", file.Current().Hash)
	config.Addr = h.Addr
	return s.persist(ctx, h, config)
}

// senders are whom the host believes, and the proxies that speak for others.
func (s *serving) senders() (guard.Guard, error) {
	believed, err := guard.FromEnvironment(s.getenv)
	if err != nil {
		return believed, usage("%v", err)
	}
	if s.limits.Proxies, err = prefixes(s.proxies); err != nil {
		return believed, err
	}
	if believed.Open() && len(s.proxies) > 0 {
		return believed, usage("--behind-proxy: a proxy speaks for strangers; set HAVIP_OPERATOR_TOKEN, and HAVIP_INGRESS_TOKEN or HAVIP_WEBHOOK_SECRET for senders")
	}
	return believed, nil
}

// tell opens what the environment says of outcomes, and refuses a ledger that would
// not be kept.
func (s serving) tell(keys *accounts.Accounts) (map[string]flow.Bus, error) {
	if at := s.getenv("HAVIP_LEDGER"); at != "" && at != s.nats {
		return nil, errors.New("HAVIP_LEDGER is for functions of the clouds, and a host has a ledger of its own; unset it, or join a cluster of NATS with --nats (HAVIP_NATS)")
	}
	ways, err := runtime.Environment{Getenv: s.getenv, Log: s.log}.Outcomes(keys)
	if err != nil {
		return nil, err
	}
	chats, err := notify.FromEnvironment(s.getenv)
	if err != nil {
		return nil, err
	}
	for name, chat := range chats {
		ways[name] = chat
	}
	return ways, nil
}

// persist serves, and opens the host anew after its store could not be written:
// a full disk has room again one day.
func (s serving) persist(ctx context.Context, h *host.Host, config host.Config) error {
	for {
		err := h.Serve(ctx)
		for errors.Is(err, host.ErrStore) {
			s.log.Error("nothing is accepted until the store can be written", "data", s.data, "error", err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Second):
			}
			var failed error
			if h, failed = host.Open(ctx, config); failed == nil {
				break
			}
			err = errors.Join(host.ErrStore, failed)
		}
		if !errors.Is(err, host.ErrStore) {
			return err
		}
	}
}

// folder chooses the data folder. A simulated world ends with its process, and
// so does what is remembered of it.
func (s *serving) folder() (forget func(), err error) {
	forget = func() {}
	switch {
	case s.data != "" || s.nats != "":
	case s.simulate:
		s.data, err = os.MkdirTemp("", "havip-simulated-")
		forget = func() { _ = os.RemoveAll(s.data) } // what stays is in the system's own folder for such
	default:
		s.data = "havip-data"
	}
	return forget, err
}

func (s serving) startSimulator(ctx context.Context) (*simulator.Simulator, *simulator.Listening, error) {
	sim, err := newSimulator("", "", s.associate, 1)
	if err != nil {
		return nil, nil, err
	}
	l, err := simulator.Serve(ctx, simulator.Addrs{Alibaba: "127.0.0.1:9101", Baidu: "127.0.0.1:9102", Control: "127.0.0.1:9100"}, sim)
	if err != nil { // a simulator of somebody else's has them
		l, err = simulator.Serve(ctx, simulator.Addrs{Alibaba: "127.0.0.1:0", Baidu: "127.0.0.1:0", Control: "127.0.0.1:0"}, sim)
	}
	return sim, l, err
}

// againstSimulator is the environment with both clouds simulated.
func againstSimulator(a simulator.Addrs, getenv func(string) string) func(string) string {
	simulated := map[string]string{
		"HAVIP_ALIBABA_ENDPOINT": "http://" + a.Alibaba, "HAVIP_ALIBABA_ECS_ENDPOINT": "", "HAVIP_ALIBABA_STS_ENDPOINT": "",
		"HAVIP_BAIDU_ENDPOINT":        "http://" + a.Baidu,
		"ALIBABA_CLOUD_ACCESS_KEY_ID": "testak", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "testsk", "ALIBABA_CLOUD_SECURITY_TOKEN": "",
		"BCE_ACCESS_KEY_ID": "testak", "BCE_SECRET_ACCESS_KEY": "testsk", "BCE_SESSION_TOKEN": "",
	}
	return func(name string) string {
		if value, ok := simulated[name]; ok {
			return value
		}
		return getenv(name)
	}
}
