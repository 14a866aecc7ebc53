package runtime

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/functions"
	"havip-functions/functions/ingress"
	"havip-functions/shared/accounts"
	"havip-functions/shared/flow"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/probe"
	"havip-functions/shared/roster/stored"
	"havip-functions/shared/trace"
)

// Environment is what the environment says, by the names that docs/configuration.md lists.
type Environment struct {
	Getenv func(string) string
	Log    *slog.Logger
}

// watch is how long a function goes on looking at what it began before it leaves
// a follow-up, unless HAVIP_WATCH says otherwise: the shortest delay of a host is
// a second, and a second of a function costs less than another call of it.
const watch = time.Second

func (env Environment) watch() (time.Duration, error) {
	text := env.Getenv("HAVIP_WATCH")
	if text == "" {
		return watch, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("HAVIP_WATCH: %q is no duration; write it like 2s, or 0s to leave at once", text)
	}
	return d, nil
}

// Prober asks the addresses of HAVIPs, unless HAVIP_PROBE=off says that this process
// isn't in their VPC.
func (env Environment) Prober() (havip.Prober, error) {
	switch said := env.Getenv("HAVIP_PROBE"); said {
	case "", "on":
		return probe.Ask, nil
	case "off":
		return probe.Off, nil
	default:
		return nil, fmt.Errorf("HAVIP_PROBE: %q is neither on nor off", said)
	}
}

// Function is the name of the function that this process is, or empty where the
// host does not say; then it is any of them.
func (env Environment) Function() (string, error) {
	name := env.Getenv("HAVIP_FUNCTION")
	if name == "" {
		deployed := cmp.Or(env.Getenv("FC_FUNCTION_NAME"), env.Getenv("AWS_LAMBDA_FUNCTION_NAME"))
		name, _ = strings.CutPrefix(deployed, "havip-")
		if !slices.Contains(functions.Names, name) {
			return "", nil // a name of somebody's own choice
		}
	}
	if !slices.Contains(functions.Names, name) {
		return "", fmt.Errorf("HAVIP_FUNCTION: %.64q is no function of ours; it is one of %s", name, strings.Join(functions.Names, ", "))
	}
	return name, nil
}

// ledgers are the addresses that HAVIP_LEDGER may have.
const ledgers = "tablestore://INSTANCE/TABLE, dynamodb://TABLE, redis://, rediss:// or nats://host:port"

// Ledger opens what HAVIP_LEDGER names, with these keys where Alibaba has it, and in the
// region that Function Compute tells. It returns nil where that is empty: then the
// follow-up carries the story.
// https://www.alibabacloud.com/help/en/functioncompute/fc/environment-variables
func (env Environment) Ledger(ctx context.Context, keys accounts.Source) (ledger.Ledger, error) {
	where := env.Getenv("HAVIP_LEDGER")
	if where == "" {
		return nil, nil
	}
	u, err := url.Parse(where)
	if err != nil { // it may hold a password, so nothing of it is repeated
		return nil, fmt.Errorf("HAVIP_LEDGER is no address; give %s, or leave it empty to do without", ledgers)
	}
	switch u.Scheme {
	case "nats":
		return openNATS(ctx, ledger.NATSFrom(where, env.Getenv))
	case "dynamodb":
		return opened(ledger.OpenDynamoDB(ctx, where))
	case "tablestore":
		return opened(ledger.OpenTablestore(ctx, where, env.Getenv("FC_REGION"), keys))
	case "redis", "rediss":
		return opened(ledger.OpenRedis(ctx, where))
	}
	return nil, fmt.Errorf("HAVIP_LEDGER: %.16q is not known; give %s, or leave it empty to do without", u.Scheme, ledgers)
}

// sayLedger says which ledger there is, without its password, or what its lack means.
func (env Environment) sayLedger(l ledger.Ledger) {
	if l == nil {
		env.Log.Warn("no ledger: HAVIP_LEDGER is empty", "weaker", "a copy of an event may call the cloud again; "+
			"only the event's own instance counts as failed; no cool-down, no brake, no freeze, and nothing is superseded",
			"instead", "tablestore://INSTANCE/TABLE, dynamodb://TABLE or redis://…, see docs/ledgers.md")
		return
	}
	u, _ := url.Parse(env.Getenv("HAVIP_LEDGER")) // it was opened
	env.Log.Info("ledger", "kind", u.Scheme, "at", u.Host)
}

// opened keeps a failed ledger from being a typed nil.
func opened[L ledger.Ledger](l L, err error) (ledger.Ledger, error) {
	if err != nil {
		return nil, fmt.Errorf("HAVIP_LEDGER: %w", err)
	}
	return l, nil
}

func openNATS(ctx context.Context, at ledger.NATS) (ledger.Ledger, error) {
	conn, err := at.Connect()
	if err != nil {
		return nil, fmt.Errorf("HAVIP_LEDGER: %w", err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	return opened(ledger.OpenJetStream(ctx, js, 1))
}

// Buses makes the way that the follow-ups of a call take.
type Buses func(Call) flow.Bus

// Functions completes our functions for a host of others. What is wrong with the
// environment shows here, not in the first call.
func (env Environment) Functions(ctx context.Context, followUps Buses) (Functions, error) {
	build, err := env.functions(ctx, followUps)
	if err != nil {
		return nil, err
	}
	traces := trace.FromEnvironment(env.Getenv, env.Log)
	return func(ctx context.Context, c Call) (Invoker, error) {
		f, err := build(ctx, c)
		if err != nil || traces == nil {
			return f, err
		}
		f.Ended = traces.Ended
		return traced{f, traces}, nil
	}, nil
}

// Door completes the web door of the functions. It takes events in and leaves
// the first look to a follow-up, because its senders wait for the answer.
func (env Environment) Door(ctx context.Context, followUps Buses) (Web, error) {
	proof, err := guard.FromEnvironment(env.Getenv)
	if err != nil {
		return nil, err
	}
	if proof.Open() {
		return nil, fmt.Errorf("neither HAVIP_INGRESS_TOKEN nor HAVIP_WEBHOOK_SECRET is set; the web door is open to anybody without them")
	}
	build, err := env.functions(ctx, followUps)
	if err != nil {
		return nil, err
	}
	traces := trace.FromEnvironment(env.Getenv, env.Log)
	return func(ctx context.Context, c Call) (http.Handler, error) {
		f, err := build(ctx, c)
		if err != nil {
			return nil, err
		}
		f.Keeper.Later = true
		f.Ended = traces.Ended
		door := ingress.Function{Door: flow.Door{Function: functions.New(f), Guard: proof, Log: f.Log}}
		return tracedDoor{door, traces}, nil
	}, nil
}

func (env Environment) functions(ctx context.Context, followUps Buses) (func(context.Context, Call) (flow.Function, error), error) {
	keys := accounts.New(env.Getenv)
	find, err := stored.Open(ctx, env.Getenv("HAVIP_ROSTER"), env.Log)
	if err != nil {
		return nil, err
	}
	lasting, err := env.Ledger(ctx, keys.Newest)
	if err != nil {
		return nil, err
	}
	env.sayLedger(lasting)
	outcomes, err := env.outcomes(keys)
	if err != nil {
		return nil, err
	}
	watch, err := env.watch()
	if err != nil {
		return nil, err
	}
	prober, err := env.Prober()
	if err != nil {
		return nil, err
	}
	seal, err := guard.SealFromEnvironment(env.Getenv)
	if err != nil {
		return nil, err
	}
	desk, queues, clock, timings := &flow.Desk{}, &havip.Queues{}, &havip.Clock{}, &havip.Timings{}
	return func(ctx context.Context, c Call) (flow.Function, error) {
		keys.Note(c.Credentials)
		file, err := find(ctx, stored.Caller{Region: c.Region, Credentials: keys.Own(c.Credentials)})
		if err != nil {
			return flow.Function{}, err
		}
		f := flow.Function{
			Keeper: havip.Keeper{Ledger: lasting, Roster: file, Clouds: keys.Clouds(c.Credentials), Queues: queues, Clock: clock, Timings: timings, Probe: prober, Invocation: c.RequestID},
			Ledger: lasting,
			Desk:   desk,
			Seal:   seal,
			Bus:    outward{followUps(c), outcomes(c)},
			Log:    env.Log.With("invocation", c.RequestID),
			Watch:  watch,
		}
		if lasting == nil { // each invocation has a ledger of its own, and nothing in common with others
			own := ledger.NewMemory()
			f.Ledger, f.Keeper.Ledger, f.Keeper.Queues, f.Keeper.Timings, f.Desk, f.Forgetful = own, own, nil, nil, nil, true
		}
		return functions.New(f), nil
	}, nil
}
