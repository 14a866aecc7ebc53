package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// dialect is how one cloud says things on the wire.
type dialect struct {
	cloud    string
	idHeader string // of the answer's request id

	read    func(*request) *refusal                    // names the operation and its parameters
	verify  func(*Simulator, *request) *refusal        // checks the signature, and finds the account
	perform func(*Simulator, *request) (any, *refusal) // under the mutex
	problem func(*request, *refusal) any               // the body of a refusal
	known   func(code string) refusal                  // what it says under a code
	busy    refusal                                    // throttled
	newID   func(hi, lo uint64) string                 // of a request
}

// request is one call on its way through the simulator.
type request struct {
	http   *http.Request
	body   []byte
	params map[string]string
	at     time.Time
	realms []*realm // what the caller's key may see, once verified
	call   Call
	faults effect
}

// refusal is a cloud's no.
type refusal struct {
	status  int
	code    string
	message string
}

// answer is what goes back on the wire.
type answer struct {
	status int
	header http.Header
	body   []byte
	lost   bool          // the connection is cut instead
	slow   time.Duration // the second half of the body comes so late
}

// A body beyond this is no call that either cloud knows.
const bodyLimit = 1 << 20

// answer takes a call from the wire to its answer: read, verify, let the faults
// have their say, change the world, write it down.
func (s *Simulator) answer(d *dialect, r *http.Request) answer {
	q := &request{http: r, params: map[string]string{}, at: time.Now()}
	q.call = Call{Time: q.at.UTC(), Cloud: d.cloud, Instances: []string{}}
	why := q.readBody()
	if why == nil {
		why = d.read(q)
	}
	if why == nil {
		why = d.verify(s, q)
	}
	if why == nil {
		q.faults = s.drawFaults(q)
		pause(r.Context(), q.faults.delay)
	}
	return d.reply(q, s.settle(d, q, why))
}

func (q *request) readBody() *refusal {
	if q.http.Body == nil {
		return nil
	}
	defer func() { _ = q.http.Body.Close() }()
	var err error
	q.body, err = io.ReadAll(io.LimitReader(q.http.Body, bodyLimit+1))
	if err != nil || len(q.body) > bodyLimit {
		return &refusal{http.StatusBadRequest, "InvalidHTTPRequest", "The request body is too long or could not be read."}
	}
	return nil
}

// settle performs the call and writes it down under one lock, so that the order
// of the calls is the order of their effects. A client that has hung up
// meanwhile does not undo its call.
func (s *Simulator) settle(d *dialect, q *request, why *refusal) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	q.call.RequestID = d.newID(s.rng.Uint64(), s.rng.Uint64())
	if why == nil {
		why = q.faults.refuses(d)
	}
	var body any
	q.call.Status = http.StatusOK
	switch {
	case why != nil:
	case q.faults.cut:
		q.call.Status = 0
	case q.faults.front != 0:
		q.call.Status = q.faults.front
	default:
		body, why = d.perform(s, q)
	}
	if why != nil {
		q.call.Status, q.call.Code = why.status, why.code
		body = d.problem(q, why)
	}
	q.call.ReplyLost = q.faults.cut || q.faults.loseReply || q.http.Context().Err() != nil
	q.call.Params = q.withoutSecrets()
	q.call.MS = time.Since(q.at).Milliseconds()
	s.calls.add(q.call)
	return body
}

// withoutSecrets is what may be shown of the parameters.
func (q *request) withoutSecrets() map[string]string {
	for _, k := range []string{"Signature", "AccessKeySecret", "SecurityToken", "authorization", "x-bce-security-token"} {
		delete(q.params, k)
	}
	return q.params
}

// reply puts the outcome on the wire, as the faults leave it.
func (d *dialect) reply(q *request, body any) answer {
	a := answer{status: q.call.Status, header: http.Header{}, slow: q.faults.slowBody, lost: q.call.ReplyLost}
	a.header.Set(d.idHeader, q.call.RequestID)
	a.header.Set("Content-Type", "application/json;charset=utf-8")
	switch {
	case a.lost:
	case q.faults.front != 0:
		q.faults.dress(&a, q)
	case body != nil:
		// The answers are our own structs of strings and numbers: they encode.
		a.body, _ = json.Marshal(body)
	}
	return a
}

// write sends the answer. Cutting the connection is net/http's own panic, which
// its server expects.
func (a answer) write(ctx context.Context, w http.ResponseWriter) {
	if a.lost {
		panic(http.ErrAbortHandler)
	}
	for k, v := range a.header {
		w.Header()[k] = v
	}
	half := len(a.body)
	if a.slow > 0 {
		half /= 2
		w.Header().Set("Content-Length", fmt.Sprint(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body[:half]) // a client that has gone is not our failure
	if a.slow > 0 {
		_ = http.NewResponseController(w).Flush()
		pause(ctx, a.slow)
		_, _ = w.Write(a.body[half:])
	}
}
