package flow_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/functions"
	"havip-functions/shared/api"
	"havip-functions/shared/flow"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/roster"
)

// shelf is a bus that keeps what it gets.
type shelf chan cloudevents.Event

// Publish implements [flow.Bus].
func (s shelf) Publish(_ context.Context, ce cloudevents.Event, _ time.Duration) error {
	s <- ce
	return nil
}

// open opens a door over a real socket. Nobody looks at a cloud behind it: the
// first look is a follow-up's.
func open(t *testing.T, l ledger.Ledger) string {
	t.Helper()
	policies, err := roster.Parse([]byte("havips: [{name: orders, cloud: alibaba, region: cn-hangzhou, id: havip-orders, members: [i-db1, i-db2]}]"))
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	f := functions.New(flow.Function{
		Keeper: havip.Keeper{Ledger: l, Roster: policies, Later: true},
		Ledger: l, Bus: make(shelf, 100), Log: quiet,
	})
	server := httptest.NewServer(flow.Door{Function: f, Log: quiet})
	t.Cleanup(server.Close)
	return server.URL
}

const (
	structured = "application/cloudevents+json"
	batch      = "application/cloudevents-batch+json"
	started    = `{"specversion":"1.0","id":"e1","source":"/test","type":"havip.instance.started",` +
		`"data":{"cloud":"alibaba","region":"cn-hangzhou","instance":"i-db1"}}`
	stranger = `{"specversion":"1.0","id":"e2","source":"/test","type":"havip.instance.started",` +
		`"data":{"cloud":"alibaba","region":"cn-hangzhou","instance":"i-who"}}`
	alarm = "alertName=down&alertState=ALERT&instanceName=i-db1&dimensions=%7BinstanceId%3Di-db1%7D"
)

func TestDoor(t *testing.T) {
	for _, test := range []struct {
		name, method, kind, body string
		status                   int
		says                     []string
	}{
		{"one event", "POST", structured, started, 202, []string{`"source":"/test"`, `"id":"e1"`, `"duplicate":false`, `"stories":["`}},
		{"a batch", "POST", batch, "[" + started + "," + stranger + "]", 202, []string{`"id":"e1"`, `"id":"e2"`}},
		{"the same twice in a batch", "POST", batch, "[" + started + "," + started + "]", 202, []string{`"duplicate":true`}},
		{"as plain JSON", "POST", "application/json", started, 202, []string{`"id":"e1"`}},
		{"an alarm", "POST", "application/x-www-form-urlencoded", alarm, 200, []string{`"source":"acs.cms"`}},
		{"no JSON", "POST", structured, `{"id"`, 400, []string{`"title":"Bad Request"`, `"type":"about:blank"`}},
		{"a member is wrong", "POST", structured, strings.Replace(started, `"i-db1"`, "7", 1), 400, []string{`"member":"data.instance"`}},
		{"nothing", "POST", structured, "", 400, []string{`"status":400`}},
		{"by GET", "GET", structured, "", 405, []string{"events come by POST"}},
		{"too large an event", "POST", structured, `{"x":"` + strings.Repeat("x", events.MaxEvent) + `"}`, 413, []string{"send less"}},
		{"too large a body", "POST", batch, strings.Repeat(" ", events.MaxBatch+1), 413, []string{"send fewer events"}},
		{"another type", "POST", "text/plain", started, 415, []string{`"member":"content-type"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, header, body := request(t, test.method, open(t, ledger.NewMemory()), test.kind, test.body)
			if status != test.status {
				t.Errorf("got %d %s, want %d", status, body, test.status)
			}
			for _, words := range test.says {
				if !strings.Contains(body, words) {
					t.Errorf("it says %s, without %s", body, words)
				}
			}
			if kind := header.Get("Content-Type"); status >= 400 && kind != "application/problem+json" {
				t.Errorf("its type is %s", kind)
			}
			if status == 405 && header.Get("Allow") != "POST" {
				t.Error("it does not say what is allowed")
			}
		})
	}
}

func request(t *testing.T, method, url, kind, body string) (status int, header http.Header, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(read)
}

// What nobody can read is kept whole: in binary mode with what the headers said.
func TestDoorKeepsWhatItRefuses(t *testing.T) {
	l := ledger.NewMemory()
	url := open(t, l)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"cloud":"alibaba","region":"cn-hangzhou"}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "e1", "ce-source": "/test", "ce-type": "havip.health.failed", "ce-subject": "a%20b",
	} {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil || answer.StatusCode != http.StatusBadRequest {
		t.Fatalf("got %v, %v", answer, err)
	}
	answer.Body.Close()
	letters, err := l.DeadLetters(t.Context())
	if err != nil || len(letters) != 1 {
		t.Fatalf("the dead letters are %+v, %v", letters, err)
	}
	const want = `{"data":{"cloud":"alibaba","region":"cn-hangzhou"},"datacontenttype":"application/json",` +
		`"id":"e1","source":"/test","specversion":"1.0","subject":"a b","type":"havip.health.failed"}`
	kept, err := l.DeadLetter(t.Context(), letters[0].ID)
	if err != nil || string(kept.Bytes) != want || kept.Type != "havip.health.failed" || kept.Scope != guard.Operator {
		t.Errorf("kept is %+v: %s, %v", kept, kept.Bytes, err)
	}
	if _, err := (flow.Function{Ledger: l}).Redrive(t.Context(), letters[0].ID, "test", false); err == nil || !strings.Contains(err.Error(), letters[0].Reason) {
		t.Errorf("redriven, it is refused for %v, not for %s", err, letters[0].Reason)
	}
}

// What a reporter has sent in a form that we refuse may not be said by redriving it
// either, until a person vouches for it.
func TestARedriveSaysNoMoreThanItsSender(t *testing.T) {
	const planted = `{"specversion":"1.0","id":"1","source":"/s","type":"havip.recover","data":{"cloud":"alibaba","region":"cn-hangzhou","havip":"havip-orders","reason":"x","force":true}}`
	const token = "reporter-reporter-reporter"
	for name, body := range map[string]string{"a list as one event": "[" + planted + "]"} {
		t.Run(name, func(t *testing.T) {
			l := ledger.NewMemory()
			quiet := slog.New(slog.DiscardHandler)
			f := functions.New(flow.Function{Keeper: havip.Keeper{Ledger: l, Roster: &roster.Roster{}, Later: true}, Ledger: l, Bus: make(shelf, 10), Log: quiet})
			door := flow.Door{Function: f, Guard: guard.Guard{Tokens: []string{token}}, Log: quiet}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/events", strings.NewReader(body))
			r.Header.Set("Content-Type", structured)
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			door.ServeHTTP(w, r)
			letters, err := l.DeadLetters(t.Context())
			if err != nil || w.Code != http.StatusBadRequest || len(letters) != 1 || letters[0].Scope != guard.Reporter || letters[0].Type != "havip.recover" {
				t.Fatalf("%d %s; the letters are %+v, %v", w.Code, w.Body, letters, err)
			}
			id := letters[0].ID
			if _, err := f.Redrive(t.Context(), id, "test", false); !errors.Is(err, guard.ErrForbidden) || !strings.Contains(err.Error(), "--as-operator") {
				t.Errorf("redriven: %v", err)
			}
			if _, err := f.PlanRedrive(t.Context(), id, false); !errors.Is(err, guard.ErrForbidden) {
				t.Errorf("planned: %v", err)
			}
			if _, err := f.Redrive(t.Context(), id, "test", true); errors.Is(err, guard.ErrForbidden) {
				t.Errorf("vouched for: %v", err)
			}
		})
	}
}

// Nobody may have the functions take their own word from a dead letter.
func TestARedriveSaysNoStatusCheck(t *testing.T) {
	l := ledger.NewMemory()
	check := `{"specversion":"1.0","id":"1","source":"/s","type":"havip.status.check","data":{"cloud":"alibaba","region":"cn-hangzhou","havip":"havip-orders",` +
		`"story":"0123456789abcdef01234567","attempt":1,"notBefore":"2026-01-01T00:00:00Z"}}`
	d := ledger.NewDeadLetter([]byte(check), "x", time.Now())
	d.Scope = guard.Ourselves
	if _, err := l.Bury(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	for _, vouched := range []bool{false, true} {
		if _, err := (flow.Function{Ledger: l}).Redrive(t.Context(), d.ID, "test", vouched); !errors.Is(err, guard.ErrForbidden) {
			t.Errorf("vouched for %t: %v", vouched, err)
		}
	}
}

func TestDoorSaysTheFirstOnesStories(t *testing.T) {
	url := open(t, ledger.NewMemory())
	var answers [2]struct{ Accepted []api.Accepted }
	for i := range answers {
		_, _, body := request(t, "POST", url, structured, started)
		if err := json.Unmarshal([]byte(body), &answers[i]); err != nil || len(answers[i].Accepted) != 1 {
			t.Fatalf("%s: %v", body, err)
		}
	}
	first, second := answers[0].Accepted[0], answers[1].Accepted[0]
	if first.Duplicate || !second.Duplicate || len(first.Stories) != 1 || !slices.Equal(first.Stories, second.Stories) {
		t.Errorf("got %+v, then %+v", first, second)
	}
}

// A door waits for nothing longer than its senders do: what can't be made durable
// in that time is theirs to send again.
func TestDoorEndsItsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := func(ctx context.Context, _ events.Event) ([]havip.Left, bool, error) {
			<-ctx.Done()
			return nil, true, ctx.Err()
		}
		quiet := slog.New(slog.DiscardHandler)
		door := flow.Door{Function: flow.Function{Handlers: []flow.Handler{stuck}, Ledger: ledger.NewMemory(), Log: quiet}, Log: quiet}
		ctx, hangUp := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1/events", strings.NewReader(started))
		r.RemoteAddr = "127.0.0.1:1"
		hangUp() // a sender that is gone is waited for all the same, and no longer
		w, began := httptest.NewRecorder(), time.Now()
		door.ServeHTTP(w, r)
		if took := time.Since(began); w.Code != http.StatusServiceUnavailable || took != 30*time.Second {
			t.Errorf("%d after %s: %s", w.Code, took, w.Body)
		}
	})
}

// Nobody is told 202 of what is not durable.
func TestDoorWithoutLedger(t *testing.T) {
	status, header, body := request(t, "POST", open(t, away{ledger.NewMemory()}), structured, started)
	if status != 503 || header.Get("Retry-After") == "" || strings.Contains(body, errAway.Error()) {
		t.Errorf("got %d, Retry-After %q: %s", status, header.Get("Retry-After"), body)
	}
}
