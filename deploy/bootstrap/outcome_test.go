package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/ledger/ledgertest"
	"havip-functions/shared/simulator"
)

// A quick attach is seen within the call that asked for it: no follow-up
// goes out, and the outcome is told to whoever listens.
func TestQuickAttach(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told []string
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e struct{ Type, Subject string }
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		told = append(told, e.Type+" "+e.Subject)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer sink.Close()
	a := arrivals("quick-1")[0]
	c := openClouds(t, simulator.Options{AssociateTime: -1})
	f := openFC(t, c, habits{}, openCustom, "HAVIP_OUTCOME_SINK="+sink.URL, "HAVIP_WATCH=20s")
	f.async(call{function: "havip-instance-started", payload: []byte(a.payload)}, 0)
	c.attached(t, a, f.instance.logs()...)
	f.busy.Wait()
	c.once(t, a.havip)
	mu.Lock()
	defer mu.Unlock()
	if f.followUps() != 0 || !slices.Equal(told, []string{"havip.attached havip-bp1orders"}) {
		t.Errorf("%d follow-ups, told %v", f.followUps(), told)
	}
	f.clean()
}

// The ledger of the clouds is a Redis: twenty copies of an event, one call.
func TestRedisRemembers(t *testing.T) {
	t.Parallel()
	a := arrivals("redis-1")[0]
	c := openClouds(t, simulator.Options{AssociateTime: 1500 * time.Millisecond})
	f := openFC(t, c, habits{timeout: 3, twice: true}, openCustom, "HAVIP_LEDGER=redis://"+ledgertest.Redis(t).Host)
	for range copies {
		f.async(call{function: "havip-instance-started", payload: []byte(a.payload)}, 0)
	}
	f.settled(c, a, true)
	f.clean()
}
