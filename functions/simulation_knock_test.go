package functions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"havip-functions/shared/api"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
)

// needs is the scope that an event asks of its sender.
func (n news) needs() guard.Scope {
	if n.kind == havip.AskRecover || n.kind == havip.AskSweep {
		return guard.Operator
	}
	return guard.Reporter
}

// verdict is what a door has to answer, if it can.
func (m *message) verdict() int {
	switch s := m.way.sender; {
	case s.scope == guard.Stranger:
		return s.status
	case len(m.news) == 0: // a follow-up, which is ours alone
		return http.StatusForbidden
	case m.news[0].garbage != "":
		return http.StatusBadRequest
	case slices.ContainsFunc(m.news, func(n *news) bool { return !s.scope.May(n.needs()) }):
		return http.StatusForbidden
	}
	return http.StatusAccepted
}

// refused tells that nothing may come of the message.
func (m *message) refused() bool {
	return m.way.sender.name != "" && (m.verdict() == http.StatusUnauthorized || m.verdict() == http.StatusForbidden)
}

// taken tells whether the event reaches us: no door turns its sender away.
func (n news) taken() bool {
	m := message{way: n.way, news: []*news{&n}}
	return !m.refused()
}

// trespass is promise 12: nothing of what is refused reaches the ledger, the bus or
// a cloud.
func (v *invocation) trespass(where string) {
	if v.msg.refused() {
		v.fail(12, "%s by %s reached %s", v.msg.id, v.msg.way.sender.name, where)
	}
}

// knock brings the message to the host's door.
func (v *invocation) knock(ctx context.Context) (acked, done bool) {
	r := v.msg.request(ctx)
	answer := httptest.NewRecorder()
	v.host.door.ServeHTTP(answer, r)
	v.lag()
	v.mu.Lock()
	defer v.mu.Unlock()
	sender, want := v.msg.way.sender, v.msg.verdict()
	v.note("%s/%d by %s: %d %s", v.msg.id, v.n, sender.name, answer.Code, strings.TrimSpace(answer.Body.String()))
	switch {
	case answer.Code == http.StatusServiceUnavailable && sender.scope != guard.Stranger:
		v.count("fault", "redelivered")
		return false, false
	case answer.Code != want:
		v.fail(12, "%s by %s was answered %d, not %d: %s", v.msg.id, sender.name, answer.Code, want, answer.Body)
		return false, true
	}
	v.count("door", fmt.Sprintf("%s: %d", sender.name, want))
	if want == http.StatusAccepted {
		v.checkAnswer(answer.Body.Bytes())
	}
	return want == http.StatusAccepted, true
}

// checkAnswer holds a 202 to what it says: each event, and its stories.
func (v *invocation) checkAnswer(body []byte) {
	var said struct{ Accepted []api.Accepted }
	v.failIf(12, json.Unmarshal(body, &said))
	if len(said.Accepted) != len(v.msg.news) {
		v.fail(12, "%d events were sent, and %d accepted", len(v.msg.news), len(said.Accepted))
		return
	}
	for i, n := range v.msg.news {
		a := said.Accepted[i]
		if a.ID != n.name() || a.Source != n.source {
			v.fail(12, "%s was accepted as %s %s", n.id, a.Source, a.ID)
		}
		for _, s := range v.tape.shelves {
			always, _ := v.concerned(*n, s.policy.Key(), v.began)
			if story := s.seen[n.key()]; always && !slices.Contains(a.Stories, story) {
				v.fail(12, "%s was accepted with the stories %q, and has %s", n.id, a.Stories, story)
			}
		}
	}
}

// request is the message as its sender writes it.
func (m *message) request(ctx context.Context) *http.Request {
	kinds := map[mode]string{structured: "application/cloudevents+json", plain: "application/json", batch: "application/cloudevents-batch+json"}
	body, kind, attributes := m.payload, kinds[m.way.mode], map[string]string{}
	if m.way.mode == binary {
		kind = kinds[plain]
		attributes, body = apart(m.payload)
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/events", bytes.NewReader(body))
	r.Header.Set("Content-Type", kind)
	for name, value := range attributes {
		r.Header.Set("ce-"+name, percent(value))
	}
	m.way.sender.show(r, body)
	return r
}

// apart takes an event in structured mode apart for binary mode; garbage stays whole.
func apart(payload []byte) (attributes map[string]string, data []byte) {
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil || members["data"] == nil {
		return nil, payload
	}
	attributes = map[string]string{}
	for name, raw := range members {
		if text := ""; name != "data" && name != "datacontenttype" && json.Unmarshal(raw, &text) == nil {
			attributes[name] = text
		}
	}
	return attributes, members["data"]
}

// percent encodes a header's value as the HTTP binding of CloudEvents asks.
func percent(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c <= ' ' || c == '"' || c == '%' || c > '~' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
