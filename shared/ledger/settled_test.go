package ledger

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// What a cluster can't do before all its nodes are back is tried until it can, and ends
// with why not.
func TestSettled(t *testing.T) {
	noPeers, other := &jetstream.APIError{ErrorCode: codeNoPeers}, &jetstream.APIError{ErrorCode: codeStorage}
	for name, tt := range map[string]struct {
		after time.Duration // the cluster can
		err   error
		want  error
		took  time.Duration
	}{
		"it can":                 {0, noPeers, nil, 0},
		"it can soon":            {3 * time.Second, noPeers, nil, 3 * time.Second},
		"it can't":               {time.Hour, noPeers, noPeers, patience},
		"this is no such matter": {time.Second, other, other, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := settled(t.Context(), func() (int, error) {
					if time.Since(began) < tt.after {
						return 0, tt.err
					}
					return 1, nil
				})
				if took := time.Since(began); !errors.Is(err, tt.want) || took != tt.took {
					t.Errorf("%v after %s", err, took)
				}
			})
		})
	}
	if _, err := settled(t.Context(), func() (int, error) { return 0, context.DeadlineExceeded }); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
