// Package host runs the functions on a machine of one's own: CloudEvents over
// HTTP in, an embedded NATS JetStream as log, queue and timer, or a cluster of
// it when one machine is not enough.
package host

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/events"
	"havip-functions/functions"
	"havip-functions/shared/console"
	"havip-functions/shared/flow"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// Config says how to run.
type Config struct {
	Addr   string      // loopback only, while the guard believes everyone
	Data   string      // the folder of the embedded engine
	NATS   ledger.NATS // a cluster instead
	Copies int         // of each stream there, at least; 0 is three where it has three nodes
	Roster havip.Roster
	Clouds havip.Clouds
	Probe  havip.Prober        // nil outside of the VPC
	Sweep  time.Duration       // between two sweeps; 0 means a minute
	Tell   map[string]flow.Bus // who hears the outcomes beside our own stream, by name
	Ended  func(havip.Story)   // hears of each story that ended; nil is nobody
	Guard  guard.Guard         // of POST /events, and of all that operators see and do
	Limits Limits              // of each source
	TLS    *tls.Config         // with a certificate, to answer by TLS; nil answers without
	World  console.World       // that the console moves, where the clouds are simulated
	Log    *slog.Logger
}

// Host is one that runs.
type Host struct {
	Addr string // where it listens

	config   Config
	engine   *engine
	bus      *Bus
	function flow.Function
	listener net.Listener
	metrics  *metrics
	relays   []relay
	streams  *ledger.JetStream
	audit    *ledger.Audit
	page     *console.Console
	tail     *tail
}

// Open starts the engine and listens; Serve answers.
func Open(ctx context.Context, c Config) (*Host, error) {
	if err := c.checkAddr(); err != nil {
		return nil, err
	}
	e, err := openEngine(c.NATS, c.Copies, c.Data)
	if err != nil {
		return nil, err
	}
	h := &Host{config: c, engine: e, metrics: newMetrics()}
	h.metrics.registry.MustRegister(&standing{host: h})
	if err := h.assemble(ctx); err != nil {
		e.close()
		return nil, err
	}
	return h, nil
}

func (h *Host) assemble(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.engine.patience())
	defer cancel()
	clock := &havip.Clock{}
	bus, err := openBus(ctx, h.engine, clock, h.config.Log)
	if err != nil {
		return err
	}
	js, err := jetstream.New(h.engine.conn)
	if err != nil {
		return err
	}
	streams, err := ledger.OpenJetStream(ctx, js, h.engine.replicas)
	if err != nil {
		return err
	}
	h.bus, h.streams, h.tail = bus, streams, &tail{bus: bus}
	if h.audit, err = ledger.OpenAudit(ctx, js, h.engine.replicas); err != nil {
		return err
	}
	tell := map[string]flow.Bus{"audit": auditor{host: h}}
	maps.Copy(tell, h.config.Tell)
	for name, to := range tell {
		r, err := bus.openRelay(ctx, name, to)
		if err != nil {
			return err
		}
		h.relays = append(h.relays, r)
	}
	if h.engine.embedded != nil {
		if err := compareMarks(ctx, js, h.config.Data, h.config.Log); err != nil {
			return err
		}
	}
	bus.late = func(by time.Duration) { h.metrics.late.Observe(by.Seconds()) }
	measured := timed{streams, h.metrics.ledger}
	h.function = functions.New(flow.Function{
		Keeper: havip.Keeper{Ledger: measured, Roster: h.config.Roster, Clouds: h.config.Clouds, Probe: h.config.Probe, Later: true, Clock: clock},
		Ledger: measured, Bus: h.metrics.count(bus), Log: h.config.Log, Ended: h.config.Ended,
	})
	h.metrics.registry.MustRegister(watched{h.function.Keeper})
	h.page = h.console()
	h.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", h.config.Addr)
	if err != nil {
		return fmt.Errorf("%w; choose another --addr, port 0 picks a free one", err)
	}
	h.Addr = h.listener.Addr().String()
	return nil
}

// Serve answers until the context ends; then it finishes what runs. It ends with
// [ErrStore] where the embedded engine can't write any more.
func (h *Host) Serve(ctx context.Context) error {
	defer h.engine.close()
	sources := newSources(h.config.Limits, h.config.Guard)
	var refused refusals
	sources.turned = func(status int) { h.metrics.turnedAway(status); refused.count(status) }
	ctx = havip.WithTally(ctx, h.metrics.called)
	server := &http.Server{
		Handler: sources.limit(h.handler()), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ErrorLog:    slog.NewLogLogger(h.config.Log.Handler(), slog.LevelDebug), // of strangers' handshakes, for one
	}
	server.RegisterOnShutdown(h.page.Stop)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	delivered := make(chan error, 1)
	go func() {
		delivered <- h.bus.Deliver(ctx, h.function.Invoke)
		stop(nil)
	}()
	var relaying sync.WaitGroup
	for _, r := range h.relays {
		relaying.Go(func() {
			if err := r.run(ctx, h.bus); err != nil {
				h.config.Log.Error("the outcomes are not relayed", "to", r.name, "error", err)
			}
		})
	}
	relaying.Go(func() { h.auditRefusals(ctx, &refused) })
	go h.sweep(ctx)
	go h.tail.run(ctx)
	go h.guardStore(ctx, stop)
	if err := h.function.Resume(ctx); err != nil {
		h.config.Log.Warn("not all that a stopped host left behind was sent; the sweep tries again", "error", err)
	}
	answered := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(answered)
		grace, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_ = server.Shutdown(grace) // who is not done by then has to send again
	})
	err := h.answer(server, sources.listen(h.listener))
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	stop(nil)
	<-answered // those under way still need the engine
	err = errors.Join(err, <-delivered)
	relaying.Wait()
	if cause := context.Cause(ctx); errors.Is(cause, ErrStore) {
		return errors.Join(cause, err)
	}
	return err
}

func (h *Host) answer(server *http.Server, l net.Listener) error {
	if h.config.TLS == nil {
		return server.Serve(l)
	}
	server.TLSConfig = h.config.TLS
	return server.ServeTLS(l, "", "")
}

// sweep asks for a sweep now and then. Hosts of one cluster agree on its id.
func (h *Host) sweep(ctx context.Context) {
	every := h.config.Sweep
	if every == 0 {
		every = time.Minute
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
		now := time.Now().UTC()
		id := fmt.Sprintf("sweep-%d", now.UnixNano()/int64(every))
		ce, err := events.New(id, now, events.Sweep{}).CloudEvent()
		if err == nil {
			err = h.bus.Publish(ctx, ce, 0)
		}
		if err != nil && ctx.Err() == nil {
			h.config.Log.Warn("no sweep", "error", err)
		}
	}
}
