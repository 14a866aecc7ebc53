package functions_test

import (
	"flag"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	simSeeds = flag.Uint64("sim.seeds", 0, "how many seeds the simulation runs; 0: what fits among the other tests")
	simSeed  = flag.Uint64("sim.seed", 0, "the one seed to run, or 0 for the first ones")
	simSmall = flag.Bool("sim.shrink", true, "shrink a seed that fails")
)

// Every so many seeds one goes through the vendors' own clients.
const sdkEvery = 50

// What fits among the other tests, whichever comes first.
const (
	fewSeeds = 1000
	fewTime  = 20 * time.Second
)

// TestSimulation runs the whole system against everything that can go wrong, on
// virtual time, and holds it to the promises.
func TestSimulation(t *testing.T) {
	if *simSeed != 0 {
		replay(t, *simSeed)
		return
	}
	began := time.Now()
	done, total := simulate(t, began)
	took := time.Since(began)
	if testing.Verbose() {
		t.Logf("%d seeds in %v, %.0f seeds/s, %.0f stories/s\n%v", done, took.Round(time.Millisecond),
			float64(done)/took.Seconds(), float64(total["\tstories"])/took.Seconds(), total)
	}
	if never := total.missing(); done >= 50_000 && !t.Failed() && len(never) > 0 {
		t.Errorf("never occurred:\n%s", strings.Join(never, "\n"))
	}
}

// simulate plays seeds on every core until one fails.
func simulate(t *testing.T, began time.Time) (done int, total tally) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(1600)) // a seed is small, and there are many
	total = tally{}
	var mu sync.Mutex // guards done and total
	var next, failures atomic.Uint64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for failures.Load() == 0 {
				seed := next.Add(1)
				if enough(seed, began) {
					return
				}
				r := plans(seed).play(t, false)
				mu.Lock()
				done++
				total.add(r.tally)
				mu.Unlock()
				if r.failure != nil && failures.Add(1) == 1 {
					replay(t, seed)
				}
			}
		})
	}
	workers.Wait()
	return done, total
}

func enough(seed uint64, began time.Time) bool {
	if *simSeeds == 0 {
		return seed > fewSeeds || time.Since(began) > fewTime
	}
	return seed > *simSeeds
}

func plans(seed uint64) *plan { return draw(seed, seed%sdkEvery == 0) }

// replay runs one seed, and tells the smallest story that fails in its way.
func replay(t *testing.T, seed uint64) {
	t.Helper()
	r := plans(seed).play(t, false)
	if r.failure == nil {
		return
	}
	small := r
	if *simSmall {
		small = shrink(t, r)
	}
	t.Errorf("seed %d: %v\nreplay it with: go test ./functions -run Simulation -sim.seed=%d\nits smallest form:\n%s",
		seed, r.failure, seed, strings.Join(small.story, "\n"))
}

// TestSimulationRepeats plays seeds twice: what can't be replayed can't be mended.
func TestSimulationRepeats(t *testing.T) {
	for seed := uint64(1); seed <= 3*sdkEvery; seed += 7 {
		first, again := plans(seed).play(t, true), plans(seed).play(t, true)
		for i, line := range first.story {
			if i >= len(again.story) || line != again.story[i] {
				t.Errorf("seed %d goes on differently after\n%s", seed, line)
				break
			}
		}
	}
}
