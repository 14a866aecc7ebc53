package host

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"havip-functions/shared/havip"
)

// standing measures how everything stands when it is asked, the clouds at most twice a
// minute.
type standing struct {
	host *Host

	mu    sync.Mutex
	read  time.Time
	views []havip.View
}

const standingFor = 30 * time.Second

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	holdersGauge  = gauge("havip_holders", "Instances that hold the HAVIP, by health.", "havip", "health")
	wantedGauge   = gauge("havip_hold", "Instances that should hold the HAVIP.", "havip")
	servingGauge  = gauge("havip_serving", "1 where a holder announces the address.", "havip")
	readGauge     = gauge("havip_readable", "1 where the cloud lets us read the HAVIP.", "havip")
	driftGauge    = gauge("havip_off_roster_holders", "Holders of the HAVIP that are not on the roster.", "havip")
	frozenGauge   = gauge("havip_frozen", "1 while a person keeps our hands off the HAVIP.", "havip")
	storyGauge    = gauge("havip_open_story_seconds", "Age of the HAVIP's open story, 0 where there is none.", "havip")
	brakeGauge    = gauge("havip_brake_closed", "1 while the brake lets no failover of the HAVIP through.", "havip")
	lettersGauge  = gauge("havip_dead_letters", "Events that nobody could read, and that wait for a person.")
	rosterGauge   = gauge("havip_roster_refused", "1 while the newest version of the roster is refused.")
	healthyGauge  = gauge("havip_without_healthy_holder", "HAVIPs that could be read and that no healthy instance holds.")
	standingGauge = []*prometheus.Desc{
		holdersGauge, wantedGauge, servingGauge, readGauge, driftGauge, frozenGauge, storyGauge, brakeGauge, lettersGauge, rosterGauge, healthyGauge,
	}
)

// Describe implements [prometheus.Collector].
func (s *standing) Describe(out chan<- *prometheus.Desc) {
	for _, d := range standingGauge {
		out <- d
	}
}

// Collect implements [prometheus.Collector]. What can't be read is missing.
func (s *standing) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(havip.WithTally(context.Background(), s.host.metrics.called), patience+5*time.Second)
	defer cancel()
	tell := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	bare, now := 0, time.Now()
	for _, v := range s.look(ctx) {
		if v.Problem == "" {
			health := map[string]int{"healthy": 0, "failed": 0, "unknown": 0}
			for _, h := range v.Holders {
				health[h.Health]++
			}
			for word, n := range health {
				tell(holdersGauge, float64(n), v.Name, word)
			}
			if health["healthy"]+health["unknown"] == 0 {
				bare++
			}
			tell(servingGauge, one(v.AnnouncedBy == havip.ByHolder), v.Name)
			tell(driftGauge, float64(len(v.Drift)), v.Name)
		}
		age := 0.0
		if v.Open != nil {
			age = now.Sub(v.Open.Since).Seconds()
		}
		tell(storyGauge, age, v.Name)
		tell(wantedGauge, float64(v.Hold), v.Name)
		tell(readGauge, one(v.Problem == ""), v.Name)
		tell(frozenGauge, one(v.Frozen != nil), v.Name)
		tell(brakeGauge, one(v.Braked != nil), v.Name)
	}
	tell(healthyGauge, float64(bare))
	tell(rosterGauge, one(s.host.refused() != nil))
	if letters, err := s.host.function.Ledger.DeadLetters(ctx); err == nil {
		tell(lettersGauge, float64(len(letters)))
	}
}

func one(so bool) float64 {
	if so {
		return 1
	}
	return 0
}

func (s *standing) look(ctx context.Context) []havip.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.read) >= standingFor {
		s.views = s.host.function.Keeper.Status(havip.WithUrgency(ctx, havip.Patient), "")
		s.read = time.Now()
	}
	return s.views
}
