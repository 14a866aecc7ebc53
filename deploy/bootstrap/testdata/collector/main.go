// Command collector is the OpenTelemetry Collector's own OTLP receiver: it listens on the
// address that it is given, and prints each span that it has taken as a line of JSON. It is
// a module of its own, so that nothing of ours depends on what it needs.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	out := json.NewEncoder(os.Stdout)
	taken, err := consumer.NewTraces(func(_ context.Context, t ptrace.Traces) error { return write(out, t) })
	if err != nil {
		log.Fatal(err)
	}
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig().(*otlpreceiver.Config)
	config.Protocols.HTTP.GetOrInsertDefault().ServerConfig.NetAddr.Endpoint = os.Args[1]
	receiver, err := factory.CreateTraces(ctx, receivertest.NewNopSettings(factory.Type()), config, taken)
	if err == nil {
		err = receiver.Start(ctx, componenttest.NewNopHost())
	}
	if err != nil {
		log.Fatal(err)
	}
	<-ctx.Done()
}

func write(out *json.Encoder, t ptrace.Traces) error {
	for _, of := range t.ResourceSpans().All() {
		for _, scope := range of.ScopeSpans().All() {
			for _, s := range scope.Spans().All() {
				err := out.Encode(map[string]any{
					"trace": s.TraceID().String(), "id": s.SpanID().String(), "parent": s.ParentSpanID().String(), "state": s.TraceState().AsRaw(),
					"name": s.Name(), "kind": s.Kind().String(), "status": s.Status().Code().String(),
					"start": s.StartTimestamp().AsTime().Format(time.RFC3339Nano), "end": s.EndTimestamp().AsTime().Format(time.RFC3339Nano),
					"attributes": s.Attributes().AsRaw(), "resource": of.Resource().Attributes().AsRaw(),
				})
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}
