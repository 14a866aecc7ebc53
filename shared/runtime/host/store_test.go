package host

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/ledger"
)

// TestABusyMachineIsNoFullDisk: where the processors are taken, the engine's own look
// at itself comes too late for its patience of a millisecond, and that is all.
func TestABusyMachineIsNoFullDisk(t *testing.T) {
	t.Parallel()
	e, err := openEngine(ledger.NATS{}, 0, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	var busy sync.WaitGroup
	for range 32 * runtime.GOMAXPROCS(0) {
		busy.Go(func() {
			for range 60 {
				if err := e.health(); err != nil {
					t.Error(err)
				}
				spun := 0
				for end := time.Now().Add(time.Millisecond); time.Now().Before(end); { // works
					spun++
				}
			}
		})
	}
	busy.Wait()
}
