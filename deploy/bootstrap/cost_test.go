package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/ledger/ledgertest"
	"havip-functions/shared/simulator"
)

// meter stands before a table of DynamoDB, and counts what would be paid for: requests,
// and their units. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
type meter struct {
	mu            sync.Mutex
	reads, writes int
	units         map[bool]float64 // of writes, and of reads
}

// openMeter returns the address of the table behind it.
func openMeter(t *testing.T) (m *meter, host string) {
	t.Helper()
	m = &meter{units: map[bool]float64{}}
	table := &url.URL{Scheme: "http", Host: ledgertest.DynamoDB(t).Host}
	s := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(table)
			body, _ := io.ReadAll(r.In.Body)
			if bytes.Contains(body, []byte(`"every":{`)) {
				r.Out.Header.Set("Indexed", "true")
			}
			body = bytes.Replace(body, []byte("{"), []byte(`{"ReturnConsumedCapacity":"TOTAL",`), 1)
			r.Out.Body, r.Out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		},
		ModifyResponse: m.count,
	})
	t.Cleanup(s.Close)
	return m, s.Listener.Addr().String()
}

// count adds an answer. A write to both indexes costs three times as much, which the
// server does not know; a condition that failed costs a unit.
func (m *meter) count(r *http.Response) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var said struct {
		ConsumedCapacity struct{ CapacityUnits float64 }
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return err
	}
	units := max(1, said.ConsumedCapacity.CapacityUnits)
	if r.Request.Header.Get("Indexed") != "" {
		units *= 3
	}
	_, asked, _ := strings.Cut(r.Request.Header.Get("X-Amz-Target"), ".")
	m.mu.Lock()
	defer m.mu.Unlock()
	write := asked != "GetItem" && asked != "Query"
	if m.units[write] += units; write {
		m.writes++
	} else {
		m.reads++
	}
	return nil
}

// What an event costs on Lambda, one after the other: docs/cost.md has the prices.
func TestCost(t *testing.T) {
	for name, kind := range map[string]struct {
		held    bool // before it comes
		payload func(arrival) string
	}{
		"attaches in 2 s": {false, func(a arrival) string { return a.payload }},
		"nothing to do":   {true, func(a arrival) string { return a.payload }},
		"sweep of 4 HAVIPs at rest": {true, func(a arrival) string {
			return fmt.Sprintf(`{"specversion":"1.0","id":"sweep-%s","source":"/timer","type":"havip.sweep"}`, a.name)
		}},
	} {
		for _, remembers := range []bool{true, false} {
			t.Run(name+"/"+ledgerName(remembers), func(t *testing.T) {
				t.Parallel()
				w, roster, all := many(4)
				if kind.held {
					for n, a := range all {
						w.Alibaba[0].HAVIPs[len(w.Alibaba[0].HAVIPs)-len(all)+n].Holders = []string{a.instance}
					}
				}
				c := openClouds(t, simulator.Options{World: w, AssociateTime: 2 * time.Second})
				c.env[0] = "HAVIP_ROSTER=" + roster
				m, env := &meter{}, []string(nil)
				if remembers {
					var host string
					m, host = openMeter(t)
					env = append(env, "HAVIP_LEDGER="+ledgertest.TableAt(host))
				}
				l := openLambda(t, "havip-instance-started", c, ways{batch: 1, visibility: time.Minute}, env...)
				l.poll()
				for _, a := range all {
					l.call([]byte(kind.payload(a)))
					l.idle()
				}
				l.bill(m, len(all))
				if kind.held && (l.calls.n != len(all) || m.writes > 4*len(all)) {
					t.Error("where nothing is to be done one call is enough, and four writes")
				}
			})
		}
	}
}

// bill tells what each of so many events cost.
func (l *awsLambda) bill(m *meter, events int) {
	sent, _ := l.queue.seen.messages()
	per := func(n float64) string { return fmt.Sprintf("%.2f", n/float64(events)) }
	l.t.Logf("%s: %s calls, %s s, %s messages, %s reads of %s units, %s writes of %s units, %s KB of log",
		l.t.Name(), per(float64(l.calls.n)), per(l.billed().Seconds()), per(float64(sent)), per(float64(m.reads)), per(m.units[false]),
		per(float64(m.writes)), per(m.units[true]), per(float64(len(l.log.String()))/1000))
}
