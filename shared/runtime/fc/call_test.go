package fc

import (
	"net/http"
	"testing"
	"time"
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
