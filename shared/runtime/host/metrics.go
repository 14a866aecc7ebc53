package host

import (
	"context"
	"net/http"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"havip-functions/events"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
)

// metrics counts what leaves: follow-ups and outcomes by their type.
type metrics struct {
	registry  *prometheus.Registry
	published *prometheus.CounterVec
	probes    *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		published: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "havip_events_published_total", Help: "Follow-ups and outcomes published, by event type.",
		}, []string{"type"}),
		probes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "havip_probes_total", Help: "What the probe found where a story ended, by HAVIP: reachable, unreachable, not tried.",
		}, []string{"havip", "probe"}),
	}
	m.registry.MustRegister(m.published, m.probes, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watched tells of each HAVIP whether a sweep has told that no holder announces it. It
// is read from the ledger, so that every host says the same, after a restart too. 0 says
// that none has told so, not that the address answers.
type watched struct{ havip.Keeper }

var servingLost = prometheus.NewDesc("havip_serving_lost",
	"1 while a sweep has told that no holder announces the address, by who does: a stranger or nobody.",
	[]string{"name", "cloud", "region", "havip", "by"}, nil)

// Describe implements [prometheus.Collector].
func (w watched) Describe(all chan<- *prometheus.Desc) { all <- servingLost }

// Collect implements [prometheus.Collector]. What can't be read is missing.
func (w watched) Collect(all chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, p := range w.Roster.Policies() {
		r, _, err := havip.Load[havip.Record](ctx, w.Ledger, p.Key().String())
		if err != nil {
			continue
		}
		for _, by := range []havip.AnnouncedBy{havip.ByStranger, havip.ByNobody} {
			value := 0.0
			if r.Outage != nil && r.Outage.Told && r.Outage.By == by {
				value = 1
			}
			all <- prometheus.MustNewConstMetric(servingLost, prometheus.GaugeValue, value, p.Name, p.Cloud, p.Region, p.ID, string(by))
		}
	}
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
	if err != nil {
		return err
	}
	c.metrics.published.WithLabelValues(e.Type()).Inc()
	var said events.Outcome
	if e.Type() != events.TypeStatusCheck && e.DataAs(&said) == nil && said.Probe != "" {
		c.metrics.probes.WithLabelValues(said.Name, said.Probe).Inc()
	}
	return nil
}
