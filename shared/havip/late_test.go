package havip_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/simulator"
)

// tardy is a ledger that lets one write arrive long after it was given up.
type tardy struct {
	ledger.Ledger
	late    string // the beginning of its key; "" for none
	arrives func() // the write, once it was given up
}

var errTimedOut = errors.New("no answer")

// Save implements [havip.Ledger].
func (l *tardy) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	if l.late == "" || !strings.HasPrefix(key, l.late) {
		return l.Ledger.Save(ctx, key, value, rev)
	}
	l.late = ""
	l.arrives = func() { _, _ = l.Ledger.Save(context.WithoutCancel(ctx), key, value, rev) }
	return 0, errTimedOut
}

// An event ends once, however late the write of another delivery arrives, and whatever
// a person said in between.
func TestPromise5ALateWriteIsNoSecondEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		late            string
		frozen, expires time.Duration // until when, from the event on; 0 for not
		outcomes        string        // the last one is the sweep's, where the first is not good
	}{
		"the one that takes it in":   {"alibaba.", 0, time.Minute, "ignored, attached i-db2"},
		"the one that takes its end": {"alibaba.", time.Minute, 0, "attached i-db2"},
		"the one that notes its end": {"event.", time.Minute, 0, "ignored, attached i-db2"},
	} {
		t.Run(name, func(t *testing.T) {
			functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
				l := &tardy{Ledger: s.Ledger}
				s.Function = s.Host(func(f *flow.Function) { f.Keeper.Ledger, f.Ledger = l, l })
				s.Instance("i-db1", havip.Stopped)
				e := s.Failed("i-db1")
				if tt.expires != 0 {
					e.Expiry = time.Now().Add(tt.expires)
				}
				if _, err := s.Function.Keeper.Freeze(s.Context(), "", havip.Freeze{Until: time.Now().Add(tt.frozen)}); err != nil {
					s.Fatal(err)
				}
				l.late = tt.late
				if err := s.Try(e); !errors.Is(err, errTimedOut) {
					s.Fatalf("the write that was given up: %v", err)
				}
				s.Wait(time.Hour)
				s.Post(e)
				l.arrives()
				s.Post(e)
				s.Wait(time.Hour)
				s.Post(s.Sweep())
				s.Finish()
				s.Want("+i-db2 -i-db1", tt.outcomes, "i-db2*")
			})
		})
	}
}

// Where the ledger was lost, what arrives before a story's follow-up does not keep it
// from going on, and is not forgotten.
func TestALedgerThatIsLostHearsOfOthersFirst(t *testing.T) {
	const once = "+i-db2:Throttling.User"
	for name, tt := range map[string]struct {
		first                    func(*stage)
		calls, outcomes, holders string
	}{
		"an event that ends at once": {func(s *stage) {
			late := s.Started("i-db3")
			late.Expiry = time.Now().Add(-time.Second)
			s.Post(late)
		}, once + " +i-db2 -i-db1", "ignored, attached i-db2", "i-db2*"},
		"a freeze": {func(s *stage) {
			if _, err := s.Function.Keeper.Freeze(s.Context(), "", havip.Freeze{Until: time.Now().Add(time.Hour)}); err != nil {
				s.Fatal(err)
			}
		}, once, "ignored", "i-db1"},
	} {
		t.Run(name, func(t *testing.T) {
			functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
				s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 1, Error: &simulator.FaultError{Code: "Throttling.User"}})
				s.Instance("i-db1", havip.Stopped)
				s.Post(s.Failed("i-db1"))
				s.Ledger = ledger.NewMemory()
				s.Function = s.Host(func(*flow.Function) {})
				tt.first(s)
				s.Finish()
				s.Want(tt.calls, tt.outcomes, tt.holders)
			})
		})
	}
}
