package ingress_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"havip-functions/events"
	"havip-functions/functions/ingress"
	"havip-functions/shared/flow"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
)

const token = "a-token-of-some-length"

// door believes the token, and answers every event that it reads with within.
func door(within func(context.Context)) ingress.Function {
	handler := func(ctx context.Context, _ events.Event) ([]havip.Left, bool, error) {
		within(ctx)
		return nil, true, nil
	}
	quiet := slog.New(slog.DiscardHandler)
	return ingress.Function{Door: flow.Door{
		Function: flow.Function{Handlers: []flow.Handler{handler}, Log: quiet},
		Guard:    guard.Guard{Tokens: []string{token}}, Log: quiet,
	}}
}

const fact = `{"specversion":"1.0","id":"1","source":"test","type":"havip.health.failed","data":{"cloud":"baidu","region":"bj","instance":"i-1"}}`

func post(path string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(fact))
	r.Header.Set("Content-Type", "application/cloudevents+json")
	return r
}

func TestFunction(t *testing.T) {
	for name, tt := range map[string]struct {
		path, header, value string
		want                int
	}{
		"by its path":        {"/events/" + token, "", "", 202},
		"a bearer":           {"/events", "Authorization", "Bearer " + token, 202},
		"EventBridge":        {"/events", "X-Eventbridge-Signature-Token", token, 202},
		"escaped":            {"/events/%61-token-of-some-length", "", "", 202},
		"nothing":            {"/events", "", "", 401},
		"a longer one":       {"/events/" + token + "x", "", "", 401},
		"a shorter one":      {"/events/" + token[1:], "", "", 401},
		"another scheme":     {"/events", "Authorization", "Basic " + token, 401},
		"an empty bearer":    {"/events", "Authorization", "Bearer ", 401},
		"a path below":       {"/events/" + token + "/more", "", "", 404},
		"a forged invoke":    {"/invoke", "Authorization", "Bearer " + token, 404},
		"a forged start":     {"/initialize", "", "", 404},
		"something of ours?": {"/eventsx", "Authorization", "Bearer " + token, 404},
	} {
		t.Run(name, func(t *testing.T) {
			taken := false
			r := post(tt.path)
			r.Header.Set(tt.header, tt.value)
			w := httptest.NewRecorder()
			door(func(ctx context.Context) {
				taken = true
				if deadline, limited := ctx.Deadline(); !limited || time.Until(deadline) > 5*time.Second {
					t.Error("the answer may take longer than a sender waits")
				}
			}).ServeHTTP(w, r)
			if w.Code != tt.want || taken != (tt.want == http.StatusAccepted) {
				t.Errorf("got %d, taken %v, want %d: %s", w.Code, taken, tt.want, w.Body)
			}
		})
	}
}

func ExampleFunction() {
	w := httptest.NewRecorder()
	door(func(context.Context) {}).ServeHTTP(w, post("/events/"+token))
	fmt.Println(w.Code)
	// Output: 202
}
