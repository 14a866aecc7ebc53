package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
)

// told is an outcome as the stream has it.
func told(t *testing.T, o events.Outcome) cloudevents.Event {
	t.Helper()
	e := cloudevents.New()
	e.SetID(o.Story)
	e.SetSource("havip-functions")
	e.SetType("havip." + o.Outcome)
	if err := e.SetData(cloudevents.ApplicationJSON, o); err != nil {
		t.Fatal(err)
	}
	return e
}

func ended(outcome, name string) events.Outcome {
	return events.Outcome{Outcome: outcome, Name: name, Cloud: "alibaba", Region: "cn-hangzhou", HAVIP: "havip-1", Story: "s-" + name}
}

// room is a chat without a socket: it hears each message, and when.
type room struct {
	mu   sync.Mutex
	at   []time.Time
	said []string
	busy bool
}

// RoundTrip implements [http.RoundTripper] as Slack would.
func (r *room) RoundTrip(q *http.Request) (*http.Response, error) {
	var body struct{ Text string }
	if err := json.NewDecoder(q.Body).Decode(&body); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at, r.said = append(r.at, time.Now()), append(r.said, body.Text)
	status := http.StatusOK
	if r.busy {
		status = http.StatusTooManyRequests
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("ok"))}, nil
}

func chat(t *testing.T, entry string, r *room) *Chat {
	t.Helper()
	c, err := parse(entry)
	if err != nil {
		t.Fatal(err)
	}
	c.client = &http.Client{Transport: r}
	return c
}

// publish tells outcomes at once, and returns what became of each.
func publish(ctx context.Context, t *testing.T, c *Chat, all ...events.Outcome) []error {
	t.Helper()
	failed := make([]error, len(all))
	var telling sync.WaitGroup
	for i, o := range all {
		telling.Go(func() { failed[i] = c.Publish(ctx, told(t, o), 0) })
	}
	telling.Wait()
	return failed
}

const slack = "slack:https://hooks.slack.example/services/T/B/key"

func TestAStormIsOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &room{}
		c := chat(t, slack, r)
		var storm []events.Outcome
		for i := range 400 {
			storm = append(storm, ended("attached", fmt.Sprint("db", i)))
		}
		storm = append(storm, ended("refused", "the-one"))
		start := time.Now()
		if err := errors.Join(publish(t.Context(), t, c, storm...)...); err != nil {
			t.Fatal(err)
		}
		if len(r.said) != 1 || r.at[0].Sub(start) != gather {
			t.Fatalf("%d messages, at %s", len(r.said), r.at)
		}
		lines := strings.Split(r.said[0], "\n")
		if len(lines) != 1+most+1 || lines[0] != "HAVIP: 401 outcomes, 1 of them for a person to look at" ||
			!strings.HasPrefix(lines[1], "HAVIP PAGE: the-one ") || !strings.HasPrefix(lines[6], "and 396 more") {
			t.Errorf("it said\n%s", r.said[0])
		}
	})
}

// However long it storms, three hosts together stay below what DingTalk takes a minute,
// and nothing waits for longer than between two messages.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &room{}
		c := chat(t, slack, r)
		var telling sync.WaitGroup
		for i := range 300 {
			telling.Go(func() {
				begun := time.Now()
				if err := errors.Join(publish(t.Context(), t, c, ended("attached", fmt.Sprint(i)))...); err != nil {
					t.Error(err)
				}
				if waited := time.Since(begun); waited > between+gather {
					t.Errorf("it waited %s", waited)
				}
			})
			<-time.After(time.Second)
		}
		telling.Wait()
		for i, at := range r.at {
			if i >= 6 && at.Sub(r.at[i-6]) < time.Minute {
				t.Errorf("7 messages in %s", at.Sub(r.at[i-6]))
			}
		}
		if len(r.at) < 25 {
			t.Errorf("%d messages in five minutes", len(r.at))
		}
	})
}

// Nobody's outcome counts as told before the service took it, and what it did not take is
// told with what comes next.
func TestWhatIsNotTakenIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &room{busy: true}
		c := chat(t, slack, r)
		for _, err := range publish(t.Context(), t, c, ended("attached", "a"), ended("timedout", "b")) {
			if err == nil || !strings.Contains(err.Error(), "slack answered HTTP 429") {
				t.Errorf("%v", err)
			}
		}
		r.busy = false
		if err := errors.Join(publish(t.Context(), t, c, ended("attached", "a"), ended("timedout", "b"))...); err != nil {
			t.Error(err)
		}
		if len(r.at) != 2 || r.at[1].Sub(r.at[0]) != between || !strings.Contains(r.said[1], " b ") || !strings.Contains(r.said[1], " a ") {
			t.Errorf("%q at %s", r.said, r.at)
		}
	})
}

// A stop gives back what waits, at once; a chat that is used on begins a new message.
func TestAStopWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &room{}
		c := chat(t, slack, r)
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		start := time.Now()
		for _, err := range publish(ctx, t, c, ended("attached", "a"), ended("attached", "b")) {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		}
		if time.Since(start) != time.Second || len(r.said) != 0 {
			t.Errorf("after %s, %q", time.Since(start), r.said)
		}
		if err := errors.Join(publish(t.Context(), t, c, ended("attached", "a"))...); err != nil || len(r.said) != 1 {
			t.Errorf("%v, %q", err, r.said)
		}
	})
}

func TestWhatIsTold(t *testing.T) {
	halfway := ended("attached", "db")
	halfway.Rule = "attached, but nobody announces it"
	for name, tt := range map[string]struct {
		outcome    events.Outcome
		all, pages bool
	}{
		"attached":            {ended("attached", "db"), true, false},
		"attached, but":       {halfway, true, true},
		"refused":             {ended("refused", "db"), true, true},
		"timed out":           {ended("timedout", "db"), true, true},
		"nobody serves":       {ended("serving.lost", "db"), true, true},
		"somebody does again": {ended("serving.restored", "db"), true, false},
		"unchanged":           {ended("unchanged", "db"), false, false},
		"ignored":             {ended("ignored", "db"), false, false},
		"superseded":          {ended("superseded", "db"), false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			all, pages := &room{}, &room{}
			err := errors.Join(append(publish(t.Context(), t, chat(t, slack, all), tt.outcome),
				publish(t.Context(), t, chat(t, "page:"+slack, pages), tt.outcome)...)...)
			if err != nil || len(all.said) == 1 != tt.all || len(pages.said) == 1 != tt.pages {
				t.Errorf("%s: %v, told %q, paged %q", name, err, all.said, pages.said)
			}
		})
	}
}

// Whatever the clouds and senders say, a text fits WeCom, and mentions nobody.
func TestText(t *testing.T) {
	o := ended("refused", "订单")
	o.Rule, o.Code, o.Advice = "<at user_id=\"all\">\n<!channel> "+strings.Repeat("不", 300), "Code&", "do"
	var all []events.Outcome
	for range 99 {
		all = append(all, o)
	}
	said := text(all)
	if len(said) > 2048 || strings.ContainsAny(said, "<>\r") || strings.Count(said, "\n") != most+1 || !strings.Contains(said, "havip story s-订单\n") {
		t.Errorf("%d bytes: %s", len(said), said)
	}
	short := ended("attached", "orders-db")
	short.Serving, short.EndedAt = "i-db2", time.Date(2026, 11, 22, 11, 0, 5, 1, time.FixedZone("", 8*3600))
	if got, want := text([]events.Outcome{short}),
		"HAVIP info: orders-db (alibaba cn-hangzhou havip-1) attached, i-db2 serves; 2026-11-22T03:00:05Z, havip story s-orders-db"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
