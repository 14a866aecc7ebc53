package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

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
	f := openFC(t, c, habits{timeout: 3, twice: true}, openCustom, "HAVIP_LEDGER=redis://"+startRedis(t))
	for range copies {
		f.async(call{function: "havip-instance-started", payload: []byte(a.payload)}, 0)
	}
	f.settled(c, a, true)
	f.clean()
}

// startRedis starts a real one, or says why the test can't run.
func startRedis(t *testing.T) (address string) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is missing; CI installs it")
		}
		t.Skip("redis-server is missing; install it to test against a real one")
	}
	address = freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	redis := exec.Command(program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	if err := redis.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = redis.Process.Kill() // it may have ended
		_ = redis.Wait()
	})
	eventually(t, "Redis listens", func() bool { return listens(address) })
	return address
}
