package havip_test

import (
	"context"
	"testing"
	"time"

	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// cutOff is a ledger that tells an old record now and then, as the leader of a cluster
// may that was cut off and does not know it yet.
type cutOff struct {
	ledger.Ledger
	key   string
	old   []byte
	rev   havip.Revision
	tells int // so often
}

// Load implements [havip.Ledger].
func (l *cutOff) Load(ctx context.Context, key string) ([]byte, havip.Revision, error) {
	if key == l.key && l.tells > 0 {
		l.tells--
		return l.old, l.rev, nil
	}
	return l.Ledger.Load(ctx, key)
}

// A story that an old record does not know yet goes on, and ends once.
func TestPromise4AnOldRecordEndsNoStory(t *testing.T) {
	functionstest.Play(t, holds(one, "i-db1"), func(s *stage) {
		l := &cutOff{Ledger: s.Ledger, key: key}
		s.Function = s.Host(func(f *flow.Function) { f.Keeper.Ledger, f.Ledger = l, l })
		s.Post(s.Started("i-db1"))
		s.Wait(time.Minute)
		var err error
		if l.old, l.rev, err = s.Ledger.Load(s.Context(), l.key); err != nil || l.rev == 0 {
			s.Fatal(l.rev, err)
		}
		s.Instance("i-db1", havip.Stopped)
		s.Post(s.Failed("i-db1"))
		l.tells = 1
		s.Finish()
		s.Want("+i-db2 -i-db1", "unchanged i-db1, attached i-db2", "i-db2*")
		if l.tells != 0 {
			s.Error("the old record was never told")
		}
	})
}
