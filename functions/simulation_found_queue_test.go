package functions_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// outrun is a ledger in which another host is once faster: after events were given up
// by a record, and before that is written.
type outrun struct {
	ledger.Ledger
	mu      sync.Mutex
	created int
}

// Create implements [havip.Ledger].
func (l *outrun) Create(ctx context.Context, values map[string][]byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.created++
	return l.Ledger.Create(ctx, values)
}

// Save implements [havip.Ledger].
func (l *outrun) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.created == 1 {
		l.created++
		return 0, havip.ErrConflict
	}
	return l.Ledger.Save(ctx, key, value, rev)
}

// An event that came with many others is not given up before it was taken.
func TestFoundCrowd(t *testing.T) {
	functionstest.Play(t, functionstest.Scene{}, func(s *functionstest.Stage) {
		l := &outrun{Ledger: s.Ledger}
		s.Function = s.Host(func(f *flow.Function) { f.Ledger, f.Keeper.Ledger, f.Keeper.Later = l, l, true })
		var all sync.WaitGroup
		for n := range 100 {
			e := s.Failed("i-db1")
			e.ID = fmt.Sprint("c", n)
			all.Go(func() {
				left, err := s.Function.Accept(s.Context(), e)
				if err != nil || left[0].Duplicate {
					t.Errorf("%s, which comes for the first time, is answered %+v, %v", e.ID, left, err)
				}
			})
		}
		all.Wait()
	})
}
