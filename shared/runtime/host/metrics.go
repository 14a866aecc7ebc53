package host

import (
	"context"
	"net/http"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"havip-functions/shared/flow"
)

// metrics counts what leaves: follow-ups and outcomes by their type.
type metrics struct {
	registry  *prometheus.Registry
	published *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		published: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "havip_events_published_total", Help: "Follow-ups and outcomes published, by event type.",
		}, []string{"type"}),
	}
	m.registry.MustRegister(m.published, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *metrics) count(b flow.Bus) flow.Bus { return counted{b, m} }

type counted struct {
	flow.Bus
	metrics *metrics
}

func (c counted) Publish(ctx context.Context, e cloudevents.Event, after time.Duration) error {
	err := c.Bus.Publish(ctx, e, after)
	if err == nil {
		c.metrics.published.WithLabelValues(e.Type()).Inc()
	}
	return err
}
