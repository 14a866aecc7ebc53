package fc

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/runtime/runtimetest"
)

func TestDeadline(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		timeout, moment string
		want            time.Duration // from now
	}{
		"a second is kept":        {timeout: "60", want: 59 * time.Second},
		"of a second, half of it": {timeout: "1", want: 500 * time.Millisecond},
		"the moment comes first":  {timeout: "60", moment: "1795316410000", want: 9 * time.Second},
		"a moment that is none":   {timeout: "60", moment: "soon", want: 59 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			h.Set("x-fc-function-timeout", tt.timeout)
			h.Set("x-fc-function-deadline", tt.moment)
			if got := deadline(h, now).Sub(now); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	for _, timeout := range []string{"", "0", "-1", "long"} {
		if got := deadline(http.Header{"X-Fc-Function-Timeout": {timeout}}, now); !got.IsZero() {
			t.Errorf("time-out %q: got %s, want none", timeout, got)
		}
	}
}

// A runtime API that fails is asked again after a pause that grows, and that a stop
// ends.
func TestGo1RestsLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Go1{Log: runtimetest.Quiet()}
		for failures, want := range map[int]time.Duration{1: 200 * time.Millisecond, 2: 400 * time.Millisecond, 5: 3200 * time.Millisecond, 6: 5 * time.Second, 1000: 5 * time.Second} {
			began := time.Now()
			h.rest(t.Context(), failures, context.DeadlineExceeded)
			if got := time.Since(began); got != want {
				t.Errorf("after %d failures it rests %s, want %s", failures, got, want)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if h.rest(ctx, 9, context.DeadlineExceeded); time.Since(began) != time.Second {
			t.Errorf("a stop is heard after %s", time.Since(began))
		}
	})
}

// FC kills an instance that doesn't stop within 90 s: what still runs then is told.
func TestDrainEndsBeforeFCDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running sync.WaitGroup
		release := make(chan struct{})
		running.Go(func() { <-release })
		if err := drain(&running); err == nil || !strings.Contains(err.Error(), "1m20s after the stop") {
			t.Errorf("got %v", err)
		}
		close(release)
		if err := drain(&running); err != nil {
			t.Error(err)
		}
	})
}
