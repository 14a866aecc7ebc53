package flow

import (
	"testing"
	"testing/synctest"
	"time"
)

// A look waits for who has its outbox in hand, but not for long.
func TestALookWaitsForItsOutbox(t *testing.T) {
	for held, waits := range map[time.Duration]time.Duration{
		0: 0, 20 * time.Millisecond: 20 * time.Millisecond, time.Minute: 100 * time.Millisecond,
	} {
		synctest.Test(t, func(t *testing.T) {
			var d Desk
			if held > 0 {
				leave, err := d.enter(t.Context(), "key")
				if err != nil {
					t.Fatal(err)
				}
				time.AfterFunc(held, leave)
			}
			began := time.Now()
			d.await(t.Context(), "key")
			if took := time.Since(began); took != waits {
				t.Errorf("it waits for %s, held for %s", took, held)
			}
		})
	}
}
