package havip

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// watched is one call whose effect shows after so long: it is looked for until it is
// seen, and what that taught is noted.
func watched(known *Timing, takes time.Duration) (late float64, looks int) {
	took := Took{}
	for passed := time.Duration(0); ; {
		at := expect((*known)[Attach], passed)
		looks++
		if at >= takes {
			took.By = at
			known.add(Attach, took)
			return float64(at) / float64(takes), looks
		}
		passed, took.After = at, at
	}
}

// Whatever a cloud takes, nobody who asks every two seconds hears of it before us, and
// it costs fewer looks than the growing pauses that were here before.
func TestUnlearnt(t *testing.T) {
	for takes, looks := range map[time.Duration]int{
		200 * time.Millisecond: 1, time.Second: 3, 2 * time.Second: 5, 5 * time.Second: 8, 30 * time.Second: 21,
	} {
		if late, n := watched(&Timing{}, takes); late > 1.001 || n > looks {
			t.Errorf("what takes %s is seen after %.2f of it, by %d looks; want at once, by %d", takes, late, n, looks)
		}
	}
	const cadence = 2 * time.Second
	for takes := 50 * time.Millisecond; takes < 30*time.Second; takes += 50 * time.Millisecond {
		late, n := watched(&Timing{}, takes)
		seen := time.Duration(late * float64(takes)).Round(time.Millisecond)
		if theirs := (takes + cadence - 1).Truncate(cadence); seen > theirs || n > 21 {
			t.Errorf("what takes %s is seen after %s, by %d looks; others see it after %s", takes, seen, n, theirs)
		}
		if late > 1.5 && seen-takes > 500*time.Millisecond {
			t.Errorf("what takes %s is seen after %s", takes, seen)
		}
	}
	for passed := 30 * time.Second; passed < time.Hour; passed = unlearnt(passed) {
		if pause := unlearnt(passed) - passed; pause > max(passed/10, 3*time.Second) || pause > 10*time.Second || pause < 2*time.Second {
			t.Errorf("after %s comes a pause of %s", passed, pause)
		}
	}
}

// What always takes the same is seen as soon as it can be, by few looks.
func TestLearnt(t *testing.T) {
	for takes, most := range map[time.Duration]int{
		200 * time.Millisecond: 2, time.Second: 2, 2 * time.Second: 2, 2200 * time.Millisecond: 2, 5 * time.Second: 3, 30 * time.Second: 5,
	} {
		known := Timing{}
		for n := range 60 {
			late, looks := watched(&known, takes)
			early := time.Duration((late - 1) * float64(takes))
			if n >= 20 && (looks > most || late > 1.05 && early > 100*time.Millisecond) {
				t.Errorf("story %d: what takes %s is seen %s late, by %d looks", n, takes, early, looks)
			}
		}
	}
}

// One that took long for once changes nothing, and what has changed is learnt anew.
func TestOneOutlierFoolsNobody(t *testing.T) {
	known := Timing{}
	for range 20 {
		watched(&known, 2*time.Second)
	}
	watched(&known, time.Minute)
	for range 10 {
		if late, looks := watched(&known, 2*time.Second); late > 1.05 || looks > 2 {
			t.Errorf("seen after %.2f of the time, by %d looks", late, looks)
		}
	}
	for _, takes := range []time.Duration{5 * time.Second, 700 * time.Millisecond, 30 * time.Second, 3 * time.Second} {
		for n := range 40 {
			late, looks := watched(&known, takes)
			if n > 30 && (late > 1.1 || looks > 5) {
				t.Errorf("since it takes %s it is seen after %.2f of it, by %d looks", takes, late, looks)
			}
			if looks > 28 {
				t.Errorf("story %d since it takes %s has %d looks", n, takes, looks)
			}
		}
	}
}

// Times that differ are learnt as well as they can be, and what is kept stays small.
func TestTimesThatDiffer(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	known := Timing{}
	const stories = 2000
	var late float64
	looks := 0
	for range stories {
		takes := time.Duration(float64(2*time.Second) * (1 + 0.2*rng.NormFloat64()))
		l, n := watched(&known, max(takes, 100*time.Millisecond))
		late, looks = late+l, looks+n
	}
	if late /= stories; late > 1.25 || looks > 3*stories {
		t.Errorf("seen after %.2f of the time, by %.1f looks", late, float64(looks)/stories)
	}
	if text, err := json.Marshal(known); err != nil || len(text) > 1<<10 {
		t.Errorf("it has %d bytes, %v", len(text), err)
	}
}

// Several looks of one process write once a second, and read once a minute.
func TestTimingsSpareTheLedger(t *testing.T) {
	if strings.Count(timingKey(Policy{Cloud: "baidu", Region: "bj"}), ".") != 2 {
		t.Error("a cloud and region has another key than the others'")
	}
	var all Timings
	if n := all.note("k", lesson{Attach, Took{By: 1}}); len(n) != 1 {
		t.Errorf("%d are written at first", len(n))
	}
	for range 100 {
		if n := all.note("k", lesson{Attach, Took{By: 1}}); len(n) != 0 {
			t.Errorf("%d are written at once after", len(n))
		}
	}
	if at := all.at("k"); len(at.untold) != maxTook || len(at.known[Attach]) != maxTook {
		t.Errorf("%d are untold, %d known", len(at.untold), len(at.known[Attach]))
	}
	if !all.old("k") || all.old("k") {
		t.Error("it is not read once")
	}
}
