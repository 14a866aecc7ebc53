package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/guard"
)

// believing starts a host whose senders must prove themselves.
func believing(t *testing.T, c clouds, env ...string) *daemon {
	t.Helper()
	return start(t, append(append([]string{}, c.env...), env...),
		"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--roster", builtinRoster(t))
}

// webhook signs a body as a sender does, and lets spoil change the headers.
func webhook(secret, body string, spoil func(http.Header)) map[string]string {
	h := http.Header{}
	guard.Sign(h, "msg-1", []byte(body), []byte(secret))
	if spoil != nil {
		spoil(h)
	}
	flat := map[string]string{"Content-Type": "application/cloudevents+json"}
	for name := range h {
		flat[name] = h.Get(name)
	}
	return flat
}

func TestOnlyProvenSendersAreBelieved(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "50ms")
	d := believing(t, c, "HAVIP_WEBHOOK_SECRET=hush-hush-hush-old hush-hush-hush-new", "HAVIP_INGRESS_TOKEN=hush-hush-hush-token", operatorToken)
	event := structured("g-1", "instance.started", "alibaba", "cn-hangzhou", "i-db1")
	late := func(h http.Header) { h.Set("Webhook-Timestamp", "1614265330") }
	for name, header := range map[string]map[string]string{
		"unsigned":      cloudEvent,
		"forged":        webhook("hush-other", event, nil),
		"out of window": webhook("hush-hush-hush-new", event, late),
		"another body":  webhook("hush-hush-hush-new", event+" ", nil),
		"a wrong token": {"Authorization": "Bearer hush-hush-hush-tokens"},
	} {
		status, text := d.post(t, header, event)
		if status != http.StatusUnauthorized || !strings.Contains(text, `"status":401`) || strings.Contains(text, "hush") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if total, _ := c.calls(t, "AssociateHaVip"); total != 0 {
		t.Fatalf("%d calls for what nobody proved", total)
	}

	proven := webhook("hush-hush-hush-new", event, nil)
	story := ""
	for i, header := range []map[string]string{proven, proven, webhook("hush-hush-hush-old", event, nil), {"Authorization": "Bearer hush-hush-hush-token"}} {
		status, text := d.post(t, header, event)
		if status != http.StatusAccepted || strings.Contains(text, `"duplicate":true`) != (i > 0) {
			t.Fatalf("%d. try: %d %s", i+1, status, text)
		}
		_, rest, _ := strings.Cut(text, `"stories":["`)
		if this, _, _ := strings.Cut(rest, `"`); i == 0 {
			story = this
		} else if this != story {
			t.Errorf("a replay has the story %s, the first one %s", this, story)
		}
	}
	if s := d.ends(t, story); s.Outcome == nil || *s.Outcome != "attached" {
		t.Errorf("ended as %+v", s)
	}
	if _, effects := c.calls(t, "AssociateHaVip"); effects != 1 {
		t.Errorf("attached %d times, want once", effects)
	}
	d.stop(t)
	if words := d.words.String(); strings.Contains(words, "hush") || strings.Count(words, "turned away") != 5 {
		t.Errorf("the log: %s", words)
	}
}

// operatorToken is what an operator has in his environment, as the host has.
const operatorToken = "HAVIP_OPERATOR_TOKEN=hush-hush-hush-operator"

// The commands prove themselves by the same variables that the host reads, and
// say what is missing. What is a reporter's does not let him act.
func TestCommandsProveThemselves(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "50ms")
	event := file(t, "event.json", structured("prove", "instance.started", "baidu", "bj", "i-syG1"))
	for _, reporter := range []string{"HAVIP_INGRESS_TOKEN=hush-hush-hush-token", "HAVIP_WEBHOOK_SECRET=hush-hush-hush-secret"} {
		d := believing(t, c, reporter, operatorToken)
		for _, tt := range []struct {
			env  []string
			args []string
			code int
			says string
		}{
			{[]string{reporter}, []string{"send", event}, 0, ""},
			{[]string{operatorToken}, []string{"send", event, "--wait"}, 0, ""},
			{[]string{operatorToken}, []string{"recover", "cache", "--reason", "drill", "--wait"}, 0, ""},
			{nil, []string{"send", event}, exitUsage, "Bearer"},
			{nil, []string{"status"}, exitUsage, "Bearer"},
			{[]string{reporter}, []string{"status"}, exitUsage, "HAVIP_OPERATOR_TOKEN"},
			{[]string{reporter}, []string{"recover", "cache", "--reason", "drill"}, exitUsage, "HAVIP_OPERATOR_TOKEN"},
			{[]string{reporter}, []string{"send", "sweep"}, exitUsage, "HAVIP_OPERATOR_TOKEN"},
			{[]string{reporter}, []string{"freeze", "--all", "--until", "1h", "--reason", "x"}, exitUsage, "HAVIP_OPERATOR_TOKEN"},
			{[]string{reporter}, []string{"dead", "list"}, exitUsage, "HAVIP_OPERATOR_TOKEN"},
		} {
			if strings.HasPrefix(reporter, "HAVIP_WEBHOOK") && tt.code != 0 && len(tt.env) > 0 && tt.args[0] != "send" {
				tt.says = "Bearer" // a signature can't cover what has no body
			}
			r := havipRuns(t, tt.env, append(tt.args, "--host", d.url())...)
			if r.code != tt.code || !strings.Contains(r.err, tt.says) || strings.Contains(r.err+r.out, "hush") {
				t.Errorf("%v %v: %+v", tt.env, tt.args, r)
			}
		}
		d.stop(t)
		if words := d.words.String(); strings.Contains(words, "hush") || !strings.Contains(words, "needs the scope operator") {
			t.Errorf("the log: %s", words)
		}
	}
}

func TestAnOpenHostStaysAtHome(t *testing.T) {
	t.Parallel()
	r := havipRuns(t, nil, "serve", "--addr", "0.0.0.0:0", "--data", t.TempDir(), "--roster", builtinRoster(t))
	if r.code != exitUsage || !strings.Contains(r.err, "HAVIP_INGRESS_TOKEN") || r.out != "" {
		t.Errorf("%+v", r)
	}
	r = havipRuns(t, []string{"HAVIP_WEBHOOK_SECRET=whsec_hush-hush-hush!"}, "serve", "--data", t.TempDir(), "--roster", builtinRoster(t))
	if r.code != exitUsage || !strings.Contains(r.err, "HAVIP_WEBHOOK_SECRET") || strings.Contains(r.err, "hush") {
		t.Errorf("%+v", r)
	}
	for _, weak := range []string{"x", ",", "\t", "hush"} {
		r = havipRuns(t, []string{"HAVIP_INGRESS_TOKEN=" + weak}, "serve", "--addr", "0.0.0.0:0", "--data", t.TempDir(), "--roster", builtinRoster(t))
		if r.code != exitUsage || !strings.Contains(r.err, "HAVIP_INGRESS_TOKEN") || strings.Contains(r.err, "hush") {
			t.Errorf("with the token %q: %+v", weak, r)
		}
	}
}

// Each answer of the admission, as a sender sees it and as it ends.
func TestAdmission(t *testing.T) {
	t.Parallel()
	c := simulate(t, "--associate-time", "50ms")
	d := c.serve(t, t.TempDir(), builtinRoster(t))
	now := time.Now().UTC()
	timed := func(id, kind, member string, at time.Time) string {
		return strings.Replace(structured(id, kind, "alibaba", "cn-hangzhou", "i-db1"), `"type"`, `"`+member+`":"`+at.Format(time.RFC3339Nano)+`","type"`, 1)
	}
	d.ends(t, d.accept(t, timed("a-1", "health.failed", "time", now))[0])
	total, _ := c.calls(t, "AssociateHaVip")
	for _, e := range []struct{ name, body, outcome, reason string }{
		{"older", timed("a-2", "instance.started", "time", now.Add(-time.Minute)), "ignored", "older than the newest event about i-db1"},
		{"at the same moment failed wins", timed("a-3", "health.restored", "time", now), "ignored", "older than the newest event about i-db1"},
		{"expired", timed("a-4", "instance.started", "expirytime", now.Add(-time.Second)), "ignored", "past its expirytime"},
		{"off the roster", structured("a-5", "instance.started", "alibaba", "cn-hangzhou", "i-evil"), "refused", "i-evil is not on the roster"},
		{"in another region", structured("a-6", "instance.started", "alibaba", "cn-beijing", "i-db1"), "refused", "i-db1 is not on the roster in alibaba cn-beijing; it is in alibaba cn-hangzhou"},
		{"of a stranger's type", strings.Replace(structured("a-7", "x", "alibaba", "cn-hangzhou", "i-db1"), "havip.x", "com.example.x", 1), "ignored", `"com.example.x" is no type that we act on`},
	} {
		stories := d.accept(t, e.body)
		if len(stories) != 1 {
			t.Fatalf("%s: stories %v", e.name, stories)
		}
		s := d.ends(t, stories[0])
		if s.Outcome == nil || string(*s.Outcome) != e.outcome || !strings.Contains(s.Reason+"; "+s.Advice, e.reason) {
			t.Errorf("%s: ended as %+v", e.name, s)
		}
		if again := d.accept(t, e.body); len(again) != 1 || again[0] != stories[0] {
			t.Errorf("%s: a duplicate has %v, the first one %v", e.name, again, stories)
		}
	}
	if after, _ := c.calls(t, "AssociateHaVip"); after != total {
		t.Errorf("%d calls for what changes nothing", after-total)
	}
}
