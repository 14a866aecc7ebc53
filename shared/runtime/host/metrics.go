package host

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"havip-functions/events"
	"havip-functions/shared/flow"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/havip/pace"
	"havip-functions/shared/ledger"
)

// metrics counts what leaves, what the clouds answer, and who was turned away.
type metrics struct {
	registry  *prometheus.Registry
	published *prometheus.CounterVec
	stories   *prometheus.CounterVec
	attached  prometheus.Histogram
	serving   prometheus.Histogram
	late      prometheus.Histogram
	ledger    *prometheus.HistogramVec
	calls     *prometheus.CounterVec
	throttles *prometheus.CounterVec
	turned    *prometheus.CounterVec
	probes    *prometheus.CounterVec
}

func newMetrics() *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets ...float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	}
	m := &metrics{
		registry:  prometheus.NewRegistry(),
		published: counter("havip_events_published_total", "Follow-ups and outcomes published, by event type.", "type"),
		stories:   counter("havip_stories_total", "Stories that ended, by outcome.", "outcome"),
		attached:  histogram("havip_story_attached_seconds", "From an event's arrival until its story ended as attached.", 1, 2, 5, 10, 20, 30, 60, 120, 300),
		serving:   histogram("havip_story_serving_seconds", "From an event's arrival until its story ended as attached, and a holder announced the address.", 1, 2, 5, 10, 20, 30, 60, 120, 300),
		late:      histogram("havip_followup_late_seconds", "From when a follow-up or a sweep was due until it was begun, each time that it was.", 0.005, 0.02, 0.05, 0.2, 1, 5, 30, 120),
		ledger: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "havip_ledger_seconds", Help: "How long the ledger took, by operation: load, save, create, archive.",
			Buckets: []float64{0.001, 0.005, 0.02, 0.05, 0.2, 1, 5},
		}, []string{"operation"}),
		calls:     counter("havip_cloud_calls_total", "Calls to the clouds, by operation and code; OK where there is none.", "region", "operation", "code"),
		throttles: counter("havip_cloud_throttles_total", "Calls that a cloud refused as too many.", "region"),
		turned:    counter("havip_requests_refused_total", "Requests that were turned away, by the scope of their proof; one of too little counts as a reporter's.", "scope"),
		probes:    counter("havip_probes_total", "What the probe found where a story ended, by HAVIP: reachable, unreachable, not tried.", "havip", "probe"),
	}
	m.registry.MustRegister(m.published, m.stories, m.attached, m.serving, m.late, m.ledger, m.calls, m.throttles, m.turned, m.probes, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, o := range []havip.Outcome{havip.Attached, havip.Unchanged, havip.Ignored, havip.Superseded, havip.Refused, havip.TimedOut} {
		m.stories.WithLabelValues(string(o)) // a rate of what has never happened is 0, not nothing
	}
	for _, s := range []guard.Scope{guard.Stranger, guard.Reporter} {
		m.turned.WithLabelValues(s.String())
	}
	return m
}

// watched tells of each HAVIP whether a sweep has told that no holder announces it. It
// is read from the ledger, so that every host says the same, after a restart too. 0 says
// that none has told so, not that the address answers.
type watched struct{ havip.Keeper }

var servingLost = prometheus.NewDesc("havip_serving_lost",
	"1 while a sweep has told that no holder announces the address, by who does: a stranger, nobody, or one that is mute.",
	[]string{"havip", "by"}, nil)

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
		for _, by := range []havip.AnnouncedBy{havip.ByStranger, havip.ByNobody, havip.ByMute} {
			value := 0.0
			if r.Outage != nil && r.Outage.Told && r.Outage.By == by {
				value = 1
			}
			all <- prometheus.MustNewConstMetric(servingLost, prometheus.GaugeValue, value, p.Name, string(by))
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
	if err == nil {
		c.metrics.leaves(e)
	}
	return err
}

func (m *metrics) leaves(e cloudevents.Event) {
	m.published.WithLabelValues(e.Type()).Inc()
	var o events.Outcome
	if json.Unmarshal(e.Data(), &o) != nil || o.Outcome == "" || e.Type() != "havip."+o.Outcome {
		return
	}
	defer m.stories.WithLabelValues(o.Outcome).Inc() // last: who sees it looks for the others
	if o.Probe != "" {
		m.probes.WithLabelValues(o.Name, o.Probe).Inc()
	}
	if e.Type() == events.TypeAttached {
		m.attached.Observe(o.EndedAt.Sub(o.StartedAt).Seconds())
		if o.Serving != "" {
			m.serving.Observe(o.EndedAt.Sub(o.StartedAt).Seconds())
		}
	}
}

// timed is a ledger whose latency is measured.
type timed struct {
	ledger.Ledger
	took *prometheus.HistogramVec
}

func (t timed) since(began time.Time, operation string) {
	t.took.WithLabelValues(operation).Observe(time.Since(began).Seconds())
}

// Load implements [ledger.Ledger].
func (t timed) Load(ctx context.Context, key string) ([]byte, havip.Revision, error) {
	defer t.since(time.Now(), "load")
	return t.Ledger.Load(ctx, key)
}

// Save implements [ledger.Ledger].
func (t timed) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	defer t.since(time.Now(), "save")
	return t.Ledger.Save(ctx, key, value, rev)
}

// Create implements [ledger.Ledger].
func (t timed) Create(ctx context.Context, values map[string][]byte) error {
	defer t.since(time.Now(), "create")
	return t.Ledger.Create(ctx, values)
}

// Archive implements [ledger.Ledger].
func (t timed) Archive(ctx context.Context, s havip.Story) error {
	defer t.since(time.Now(), "archive")
	return t.Ledger.Archive(ctx, s)
}

// turnedAway counts who showed no proof, or one of too little.
func (m *metrics) turnedAway(status int) {
	m.turned.WithLabelValues(turnedAway(status).String()).Inc()
}

// turnedAway is the scope of the proof that was not enough, by the answer.
func turnedAway(status int) guard.Scope {
	if status == http.StatusForbidden {
		return guard.Reporter
	}
	return guard.Stranger
}

// called counts a call to a cloud, with what it answered.
func (m *metrics) called(region, op string, err error) {
	code := "OK"
	if said := (*havip.Error)(nil); errors.As(err, &said) {
		code = strings.ToValidUTF8(said.Code[:min(len(said.Code), 64)], "")
	} else if err != nil {
		code = "Unknown"
	}
	m.calls.WithLabelValues(region, op, code).Inc()
	if pace.Throttled(err) {
		m.throttles.WithLabelValues(region).Inc()
	}
}
