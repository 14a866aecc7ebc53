package havip_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// slowly is a ledger whose reads take a while.
type slowly struct {
	ledger.Ledger
	takes time.Duration
}

// Load implements [havip.Ledger].
func (s slowly) Load(ctx context.Context, key string) ([]byte, havip.Revision, error) {
	select {
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	case <-time.After(s.takes):
		return s.Ledger.Load(ctx, key)
	}
}

func counted(r *havip.Record) (bool, error) {
	r.N++
	return true, nil
}

// Who has hardly any time left, and is to write for others, does not end theirs.
func TestTheOneWhoWritesForOthersHasTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledger.NewMemory()
		k := havip.Keeper{Ledger: slowly{l, 300 * time.Millisecond}, Queues: &havip.Queues{}}
		var all sync.WaitGroup
		for n, given := range []time.Duration{time.Minute, 350 * time.Millisecond, time.Minute, time.Minute} { // the second leads the next three
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), given)
				defer cancel()
				if _, err := k.Change(ctx, "key", counted); err != nil {
					t.Errorf("caller %d: %v", n, err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if r, _, err := havip.Load[havip.Record](t.Context(), l, "key"); err != nil || r.N != 4 {
			t.Errorf("%d changes are written, %v", r.N, err)
		}
	})
}

// A change that panics, or fails, is its own caller's alone.
func TestAChangeThatPanicsSpoilsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledger.NewMemory()
		k := havip.Keeper{Ledger: slowly{l, time.Second}, Queues: &havip.Queues{}}
		ends := make([]string, 4)
		var all sync.WaitGroup
		for n := range ends {
			all.Go(func() {
				defer func() {
					if recover() != nil {
						ends[n] = "panic"
					}
				}()
				_, err := k.Change(t.Context(), "key", func(r *havip.Record) (bool, error) {
					r.N++
					switch n {
					case 1:
						return true, errors.New("fails")
					case 2:
						panic("of the third")
					}
					return true, nil
				})
				ends[n] = fmt.Sprint(err)
			})
			synctest.Wait()
		}
		all.Wait()
		r, _, err := havip.Load[havip.Record](t.Context(), l, "key")
		if got := fmt.Sprint(ends); got != "[<nil> fails panic <nil>]" || r.N != 2 || err != nil {
			t.Errorf("they end with %s; %d changes are written, %v", got, r.N, err)
		}
	})
}

// reads counts them.
type reads struct {
	ledger.Ledger
	n int
}

// Load implements [havip.Ledger].
func (r *reads) Load(ctx context.Context, key string) ([]byte, havip.Revision, error) {
	r.n++
	return r.Ledger.Load(ctx, key)
}

// What was published leaves the outbox without being read again, and takes nothing along
// that somebody wrote meanwhile.
func TestTakeOutKnowsWhatWasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &reads{Ledger: ledger.NewMemory()}
		k := havip.Keeper{Ledger: l, Queues: &havip.Queues{}}
		change := func(do func(*havip.Record) (bool, error)) {
			if _, err := k.Change(t.Context(), "key", do); err != nil {
				t.Fatal(err)
			}
		}
		is := func(n, outbox int) {
			t.Helper()
			r, _, err := havip.Load[havip.Record](t.Context(), l.Ledger, "key")
			if err != nil || r.N != n || len(r.Outbox) != outbox {
				t.Errorf("%d changes and %d messages, want %d and %d; %v", r.N, len(r.Outbox), n, outbox, err)
			}
		}
		change(func(r *havip.Record) (bool, error) {
			r.Outbox = []havip.Message{{ID: "a"}, {ID: "b"}}
			return true, nil
		})
		r, rev, err := havip.Load[havip.Record](t.Context(), l.Ledger, "key")
		if err != nil {
			t.Fatal(err)
		}
		left := havip.Left{Ledger: "key", Record: r, Rev: rev}
		for _, step := range []struct {
			published     string
			reads, outbox int
		}{{"a", 0, 1}, {"b", 1, 0}} { // at last it was left by nobody as it is
			l.n = 0
			if err := k.TakeOut(t.Context(), left, []string{step.published}); err != nil || l.n != step.reads {
				t.Errorf("%s is taken out with %d reads, want %d; %v", step.published, l.n, step.reads, err)
			}
			is(1-step.outbox, step.outbox)
			change(counted)
		}
		if o := left.Record.Outbox; o[0].ID != "a" || o[1].ID != "b" {
			t.Errorf("what was left is changed for who else has it: %v", o)
		}
	})
}
