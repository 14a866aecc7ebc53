package functions_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"

	"havip-functions/shared/guard"
)

// way is how an event reaches us: handed to a host by whoever may invoke it, or
// through its door.
type way struct {
	sender sender // of the zero name: handed
	mode   mode
}

// mode is how events are written into a request.
type mode int

const (
	structured mode = iota
	binary
	plain
	batch
)

// The proofs, and one that is none of ours.
const (
	operatorsToken = "operators-open-sesame"
	reportersToken = "reporters-open-sesame"
	readersToken   = "readers-open-sesame"
	noToken        = "whose-is-this-one-then"
)

var webhookSecret = []byte("a-secret-of-some-length")

// sender is somebody before a door: what he may say, or how he is turned away.
type sender struct {
	name   string
	scope  guard.Scope
	status int // for a stranger
	show   func(r *http.Request, body []byte)
}

func header(name, value string) func(*http.Request, []byte) {
	return func(r *http.Request, _ []byte) { r.Header.Set(name, value) }
}

// guarded are those before a door that asks for proof; loopback is none.
var guarded = []sender{
	{"an operator", guard.Operator, 0, header("Authorization", "Bearer "+operatorsToken)},
	{"a reporter", guard.Reporter, 0, header("Authorization", "Bearer "+reportersToken)},
	{"a reporter by path", guard.Reporter, 0, func(r *http.Request, _ []byte) { r.SetPathValue("token", reportersToken) }},
	{"a reporter's EventBridge", guard.Reporter, 0, header("X-Eventbridge-Signature-Token", reportersToken)},
	{"a reporter who signs", guard.Reporter, 0, func(r *http.Request, body []byte) { guard.Sign(r.Header, "w", body, webhookSecret) }},
	{"a reader", guard.Stranger, 403, header("Authorization", "Bearer "+readersToken)}, // who may say nothing
	{"a stranger", guard.Stranger, 401, func(*http.Request, []byte) {}},
	{"a stranger on this machine", guard.Stranger, 401, func(r *http.Request, _ []byte) { local(r) }},
	{"a stranger with a token", guard.Stranger, 401, header("Authorization", "Bearer "+noToken)},
	{"a stranger with no bearer", guard.Stranger, 401, header("Authorization", "Basic "+operatorsToken)},
	{"an operator's token in a path", guard.Stranger, 401, func(r *http.Request, _ []byte) { r.SetPathValue("token", operatorsToken) }},
	{"a stranger who signs", guard.Stranger, 401, func(r *http.Request, body []byte) { guard.Sign(r.Header, "w", body, []byte(noToken)) }},
	{"a signature of another body", guard.Stranger, 401, func(r *http.Request, body []byte) {
		guard.Sign(r.Header, "w", append([]byte(" "), body...), webhookSecret)
	}},
}

// open are those before a door without any proof to ask for.
var open = []sender{
	{"somebody on this machine", guard.Operator, 0, func(r *http.Request, _ []byte) { local(r) }},
	{"behind a proxy", guard.Stranger, 401, marked("X-Forwarded-For", "203.0.113.7")},
	{"behind a proxy that says Via", guard.Stranger, 401, marked("Via", "1.1 proxy")},
	{"behind a proxy that says Forwarded", guard.Stranger, 401, marked("Forwarded", "for=203.0.113.7")},
	{"behind nginx", guard.Stranger, 401, func(r *http.Request, _ []byte) { local(r); r.Proto, r.ProtoMinor = "HTTP/1.0", 0 }},
	{"from afar", guard.Stranger, 401, header("Authorization", "Bearer "+operatorsToken)},
	{"a rebound name", guard.Stranger, 403, func(r *http.Request, _ []byte) { local(r); r.Host = "evil.example" }},
	{"a page of another port", guard.Stranger, 403, marked("Origin", "http://localhost:3000")},
	{"a page of another site", guard.Stranger, 403, marked("Sec-Fetch-Site", "cross-site")},
}

func local(r *http.Request) { r.RemoteAddr, r.Host = "127.0.0.1:40000", "127.0.0.1:8080" }

func marked(name, value string) func(*http.Request, []byte) {
	return func(r *http.Request, _ []byte) { local(r); r.Header.Set(name, value) }
}

// drawDoors gives the hosts their doors; one of some seeds asks for no proof.
func (d *drawing) drawDoors() {
	d.doors = d.coin(0.5)
	for n := range d.guards {
		d.guards[n] = guard.Guard{
			Tokens: []string{reportersToken}, Readers: []string{readersToken}, Operators: []string{"an-older-operators-token", operatorsToken}, Secrets: [][]byte{webhookSecret},
		}
	}
	if d.coin(0.3) {
		d.guards[1] = guard.Guard{}
	}
}

// send lets an event come through a door, or not.
func (d *drawing) send(n *news) {
	if !d.doors || d.coin(0.5) {
		return
	}
	n.way = d.drawWay()
	if n.kind != "" && d.coin(0.03) {
		n.kind = saidOutcome
	}
}

func (d *drawing) drawWay() way {
	w := way{mode: pick(d.Rand, structured, binary, plain)}
	switch of := d.IntN(10); {
	case d.guards[1].Open() && of < 3:
		w.sender = open[0]
	case d.guards[1].Open() && of < 5:
		w.sender = pick(d.Rand, open[1:]...)
	case of < 6:
		w.sender = guarded[0]
	case of < 8:
		w.sender = pick(d.Rand, guarded[1:5]...)
	default:
		w.sender = pick(d.Rand, guarded[5:]...)
	}
	if strings.Contains(w.sender.name, "sign") { // no signature covers ce- headers
		w.mode = structured
	}
	return w
}

// drawBatches lets some events travel together.
func (d *drawing) drawBatches() {
	for i := 0; i+1 < len(d.news); i++ {
		if !d.coin(0.1) {
			continue
		}
		end := min(len(d.news), i+2+d.IntN(3))
		for j := i; j < end; j++ {
			if n := &d.news[j]; n.garbage == "" && n.batch == "" {
				n.batch, n.way = fmt.Sprintf("b%d", i), d.news[i].way
			}
		}
		i = end
	}
}

// host picks the host whose door it is.
func (w way) host(rng *rand.Rand, p *plan) int {
	n := rng.IntN(len(p.guards))
	if w.sender.name != "" && p.guards[1].Open() {
		n = 0
		if slices.ContainsFunc(open, func(s sender) bool { return s.name == w.sender.name }) {
			n = 1
		}
	}
	return n
}
