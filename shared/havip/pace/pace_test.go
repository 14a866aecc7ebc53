package pace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/havip"
)

// fake is a cloud that writes down its calls.
type fake struct {
	mu      sync.Mutex
	perPage int
	all     []string // HAVIPs
	refuses string   // an operation
	busy    int      // so many calls are throttled
	took    []string // calls, in order
	at      []time.Time
}

// call passes the gate, as the adapters do for every request.
func (f *fake) call(ctx context.Context, what string) error {
	leave, err := havip.Enter(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.took, f.at = append(f.took, what), append(f.at, time.Now())
	f.mu.Unlock()
	<-time.After(10 * time.Millisecond)
	if f.busy > 0 {
		f.busy--
		err = &havip.Error{Kind: havip.ErrBusy, Code: "Throttling.User"}
	}
	if what == f.refuses {
		err = &havip.Error{Kind: havip.ErrRefused, Code: "Forbidden"}
	}
	leave(err)
	return err
}

func (f *fake) Get(ctx context.Context, id string) (havip.HAVIP, error) {
	return havip.HAVIP{ID: id}, f.call(ctx, "get")
}

func (f *fake) Attach(ctx context.Context, c havip.Call) (havip.Receipt, error) {
	return havip.Receipt{}, f.call(ctx, "attach "+c.HAVIP)
}

func (f *fake) Detach(ctx context.Context, c havip.Call) (havip.Receipt, error) {
	return havip.Receipt{}, f.call(ctx, "detach "+c.HAVIP)
}

func (f *fake) List(ctx context.Context) ([]havip.HAVIP, error) {
	var list []havip.HAVIP
	for page := range slices.Chunk(f.all, f.perPage) {
		if err := f.call(ctx, "list"); err != nil {
			return nil, err
		}
		for _, id := range page {
			list = append(list, havip.HAVIP{ID: id, Address: "listed"})
		}
	}
	return list, nil
}

func (f *fake) States(ctx context.Context, ids []string) (map[string]havip.InstanceState, error) {
	states := map[string]havip.InstanceState{}
	for _, id := range ids {
		states[id] = havip.Running
	}
	return states, f.call(ctx, fmt.Sprintf("states of %d", len(ids)))
}

// open paces the fake.
func (f *fake) open(t *testing.T) *paced {
	t.Helper()
	clouds := new(Pacer).Clouds(func(context.Context, havip.Policy, string) (havip.Cloud, havip.Fleet, error) { return f, f, nil })
	c, _, err := clouds(t.Context(), havip.Policy{Cloud: "alibaba", Region: "r"}, "s")
	if err != nil {
		t.Fatal(err)
	}
	return c.(*paced)
}

func ids(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("havip-%d", i))
	}
	return all
}

// together does all at once and waits for them.
func together(n int, do func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}

func TestReadersShare(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fake    *fake
		readers int
		most    int // calls
	}{
		"one":                   {&fake{all: ids(100), perPage: 50}, 1, 1},
		"a few":                 {&fake{all: ids(100), perPage: 50}, 4, 4},
		"many":                  {&fake{all: ids(100), perPage: 50}, 100, 12}, // the first to ask don't wait for others
		"one is on no list":     {&fake{all: ids(39), perPage: 50}, 40, 12},
		"a list is not allowed": {&fake{all: ids(20), perPage: 50, refuses: "list"}, 20, 21},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := test.fake.open(t)
				together(test.readers, func(i int) {
					have, err := c.Get(t.Context(), fmt.Sprintf("havip-%d", i))
					if err != nil || have.ID != fmt.Sprintf("havip-%d", i) {
						t.Errorf("%+v %v", have, err)
					}
				})
				if len(test.fake.took) > test.most {
					t.Errorf("%v", test.fake.took)
				}
			})
		})
	}
}

// TestReadingBeginsAfterItWasAskedFor: whoever asks while a reading is under way
// gets the next one, or it could show what was before his own last write.
func TestReadingBeginsAfterItWasAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		c := f.open(t)
		together(3, func(i int) {
			<-time.After(time.Duration(i) * time.Millisecond)
			asked := time.Now()
			states, err := c.States(t.Context(), []string{fmt.Sprint(i)})
			if err != nil || len(states) != 1 || states[fmt.Sprint(i)] != havip.Running {
				t.Errorf("%v %v", states, err)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.at[len(f.at)-1].Before(asked) {
				t.Errorf("asked at %s, read at %s", asked, f.at)
			}
		})
		if !slices.Equal(f.took, []string{"states of 1", "states of 2"}) {
			t.Errorf("%v", f.took)
		}
	})
}

// TestReadingsLetOthersCall: while calls wait, readings are one in ten of them; an
// account that nobody calls holds none back.
func TestReadingsLetOthersCall(t *testing.T) {
	t.Parallel()
	for waiting, want := range map[int]int{0: 0, 60: parts - 1} {
		t.Run(fmt.Sprint(waiting), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{}
				c := f.open(t)
				attach := func(int) { _, _ = c.Attach(t.Context(), havip.Call{HAVIP: "havip-0"}) }
				together(12, attach) // nothing is spare after them
				go together(waiting, attach)
				var took time.Duration
				for range 2 {
					began := time.Now()
					if _, err := c.States(t.Context(), []string{"i-1"}); err != nil {
						t.Error(err)
					}
					took = time.Since(began)
				}
				f.mu.Lock()
				between := len(f.took) - slices.Index(f.took, "states of 1") - 2
				f.mu.Unlock()
				if between < want || want == 0 && took > burst/2+100*time.Millisecond {
					t.Errorf("%d others called between two readings, want %d; the second took %s", between, want, took)
				}
				synctest.Wait()
			})
		})
	}
}

// TestAReaderWhoGivesUpTakesNobodyAlong: the others read without him.
func TestAReaderWhoGivesUpTakesNobodyAlong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		c := f.open(t)
		for range 60 { // beyond what may go at once
			go c.Attach(t.Context(), havip.Call{HAVIP: "busy"})
		}
		synctest.Wait()
		together(4, func(i int) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if i == 0 {
				time.AfterFunc(time.Millisecond, cancel)
			} else {
				<-time.After(500 * time.Microsecond)
			}
			_, err := c.States(ctx, []string{fmt.Sprint(i)})
			if i > 0 && err != nil {
				t.Errorf("reader %d: %v", i, err)
			}
		})
	})
}

// TestThrottledReading: it is repeated, since an unknown state would count as
// running. A change is not ours to repeat.
func TestThrottledReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{busy: 3}
		c := f.open(t)
		if _, err := c.Get(t.Context(), "havip-0"); err != nil {
			t.Error(err)
		}
		f.busy = 1
		if _, err := c.States(t.Context(), []string{"i-1"}); err != nil {
			t.Error(err)
		}
		f.busy = 1
		if _, err := c.Attach(t.Context(), havip.Call{HAVIP: "havip-0"}); !Throttled(err) {
			t.Error(err)
		}
		if want := "[get get get get states of 1 states of 1 attach havip-0]"; fmt.Sprint(f.took) != want {
			t.Errorf("%v", f.took)
		}
	})
}

func TestUrgentFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{all: ids(30), perPage: 10}
		c := f.open(t)
		together(30, func(int) { _, _ = c.Attach(t.Context(), havip.Call{HAVIP: "before"}) })
		before := len(f.took)
		together(7, func(i int) {
			<-time.After(time.Duration(i) * time.Microsecond)
			switch ctx := t.Context(); i {
			case 0:
				_, _ = c.Attach(ctx, havip.Call{HAVIP: "first in line"})
			case 1:
				_, _ = c.List(havip.WithUrgency(ctx, havip.Patient))
			case 2, 4:
				_, _ = c.Detach(ctx, havip.Call{HAVIP: fmt.Sprint(i)})
			case 3, 5:
				_, _ = c.Attach(havip.WithUrgency(ctx, havip.Urgent), havip.Call{HAVIP: fmt.Sprint(i)})
			case 6:
				_, _ = c.Get(ctx, "havip-0")
			}
		})
		want := []string{"get", "attach 3", "attach 5", "attach first in line", "detach 2", "detach 4", "list", "list", "list"}
		if !slices.Equal(f.took[before:], want) {
			t.Errorf("%v\nwant %v", f.took[before:], want)
		}
	})
}

func TestNoTurnInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		c := f.open(t)
		var gaveUp int
		var mu sync.Mutex
		together(100, func(int) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := c.Attach(ctx, havip.Call{})
			var e *havip.Error
			if err == nil {
				return
			}
			if !errors.As(err, &e) || !errors.Is(err, havip.ErrBusy) || e.Lost || e.Code != "Paced" || e.Rule == "" || e.Advice == "" {
				t.Errorf("%+v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			gaveUp++
		})
		if gaveUp == 0 || gaveUp+len(f.took) != 100 {
			t.Errorf("%d gave up, %d calls", gaveUp, len(f.took))
		}
	})
}

// Who gets no turn because the cloud throttles hears so in the cloud's own code.
func TestNoTurnTellsWhatTheCloudSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{}
		leave, err := l.enter(t.Context(), routine)
		if err != nil {
			t.Fatal(err)
		}
		leave(&havip.Error{Kind: havip.ErrBusy, Code: "Throttling.User"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err = l.enter(ctx, routine); err == nil || !strings.Contains(err.Error(), "Throttling.User") {
			t.Errorf("no turn in time: %v", err)
		}
	})
}
