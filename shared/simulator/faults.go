package simulator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// This file is long because each kind of fault is one small step of the same answer.

// Fault makes calls go wrong. It says which calls (cloud, operation, times,
// probability) and what happens to them; several effects and several faults add up.
type Fault struct {
	Cloud       string  `json:"cloud,omitempty"`       // "": both
	Operation   string  `json:"operation,omitempty"`   // "": any
	Times       int     `json:"times,omitempty"`       // 0: always
	Probability float64 `json:"probability,omitempty"` // 0: each call, like 1

	Error             *FaultError   `json:"error,omitempty"`             // this answer, no effect
	Delay             time.Duration `json:"-"`                           // before the effect
	LoseReply         bool          `json:"loseReply,omitempty"`         // the effect, then the connection is cut
	Cut               bool          `json:"cut,omitempty"`               // the connection is cut, no effect
	ThrottlePerSecond int           `json:"throttlePerSecond,omitempty"` // more calls of one account and operation are throttled
	Stuck             bool          `json:"stuck,omitempty"`             // the move that it begins lasts until the faults are cleared
	Redirect          bool          `json:"redirect,omitempty"`          // 307 to the same place, no effect
	HTML              bool          `json:"html,omitempty"`              // 502 with a page, no effect
	NumericCode       bool          `json:"numericCode,omitempty"`       // 500 with {"Code":123}, no effect
	SlowBody          time.Duration `json:"-"`                           // half of the body comes so late
}

// FaultError is the refusal that a fault forces.
type FaultError struct {
	Status  int    `json:"status"` // 0: the code's own, else 400
	Code    string `json:"code"`
	Message string `json:"message"` // "": the code's own
}

// faultText is a fault as JSON has it: durations as "200ms".
type faultText struct {
	Delay    string `json:"delay,omitempty"`
	SlowBody string `json:"slowBody,omitempty"`
	*plainFault
}

type plainFault Fault

// UnmarshalJSON reads durations as Go writes them: "200ms", "2s".
func (f *Fault) UnmarshalJSON(data []byte) error {
	t := faultText{plainFault: (*plainFault)(f)}
	if err := strictJSON(data, &t); err != nil {
		return err
	}
	for _, d := range []struct {
		text string
		into *time.Duration
	}{{t.Delay, &f.Delay}, {t.SlowBody, &f.SlowBody}} {
		if d.text == "" {
			continue
		}
		var err error
		if *d.into, err = time.ParseDuration(d.text); err != nil {
			return fmt.Errorf("%q is no duration; write one like 200ms or 2s", d.text)
		}
	}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (f Fault) MarshalJSON() ([]byte, error) {
	t := faultText{plainFault: (*plainFault)(&f)}
	if f.Delay > 0 {
		t.Delay = f.Delay.String()
	}
	if f.SlowBody > 0 {
		t.SlowBody = f.SlowBody.String()
	}
	return json.Marshal(t)
}

func (f Fault) check() error {
	switch {
	case f.Cloud != "" && f.Cloud != "alibaba" && f.Cloud != "baidu":
		return fmt.Errorf("cloud %q is not one of alibaba, baidu", f.Cloud)
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("probability %v is not between 0 and 1", f.Probability)
	case f.Times < 0 || f.ThrottlePerSecond < 0 || f.Delay < 0 || f.SlowBody < 0:
		return errors.New("a count or a time is negative; give 0 or more")
	case f.Error != nil && f.Error.Code == "":
		return errors.New("error has no code; give one")
	case f.Error != nil && f.Error.Status != 0 && (f.Error.Status < 400 || f.Error.Status > 599):
		return fmt.Errorf("error has the status %d; give 400 to 599", f.Error.Status)
	case !f.does():
		return errors.New("it does nothing; give error, delay, loseReply, cut, throttlePerSecond, stuck, redirect, html, numericCode or slowBody")
	default:
		return nil
	}
}

func (f Fault) does() bool {
	return f.Error != nil || f.Delay > 0 || f.LoseReply || f.Cut || f.ThrottlePerSecond > 0 ||
		f.Stuck || f.Redirect || f.HTML || f.NumericCode || f.SlowBody > 0
}

// AddFault puts a fault into force.
func (s *Simulator) AddFault(f Fault) error {
	if err := f.check(); err != nil {
		return errors.New("fault: " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &armedFault{Fault: f})
	return nil
}

// ClearFaults ends all faults, and the moves that were stuck by one.
func (s *Simulator) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	for _, a := range s.world.addresses {
		a.release(time.Now())
	}
}

// armedFault is a fault with what it has done so far.
type armedFault struct {
	Fault
	fired  int
	counts map[meter]*count
}

// meter is what calls are counted by, as the clouds do.
type meter struct{ account, operation string }

type count struct {
	since time.Time
	calls int
}

// strikes tells whether the fault befalls this call.
func (f *armedFault) strikes(s *Simulator, q *request) bool {
	switch {
	case f.Cloud != "" && f.Cloud != q.call.Cloud, f.Operation != "" && f.Operation != q.call.Operation:
		return false
	case f.Times > 0 && f.fired >= f.Times:
		return false
	case f.Probability > 0 && s.rng.Float64() >= f.Probability:
		return false
	case f.ThrottlePerSecond > 0 && f.within(meter{q.account(), q.call.Operation}):
		return false
	}
	f.fired++
	return true
}

// within counts a call and tells whether the second at hand still has room for it.
func (f *armedFault) within(m meter) bool {
	if f.counts == nil {
		f.counts = map[meter]*count{}
	}
	c := f.counts[m]
	if now := time.Now(); c == nil || now.Sub(c.since) >= time.Second {
		c = &count{since: now}
		f.counts[m] = c
	}
	c.calls++
	return c.calls <= f.ThrottlePerSecond
}

// account is whose call it is: the access key's where the world names none.
func (q *request) account() string {
	return cmp.Or(q.realms[0].spec.Account, q.call.AccessKeyID)
}

// effect is what the faults make of one call.
type effect struct {
	err                              *FaultError
	delay, slowBody                  time.Duration
	throttled, loseReply, cut, stuck bool
	front                            int // the status of an answer that comes from before the cloud
}

func (s *Simulator) drawFaults(q *request) effect {
	s.mu.Lock()
	defer s.mu.Unlock()
	var e effect
	for _, f := range s.faults {
		if f.strikes(s, q) {
			e.add(f.Fault)
		}
	}
	return e
}

func (e *effect) add(f Fault) {
	if e.err == nil {
		e.err = f.Error
	}
	e.delay += f.Delay
	e.slowBody += f.SlowBody
	e.throttled = e.throttled || f.ThrottlePerSecond > 0
	e.loseReply = e.loseReply || f.LoseReply
	e.cut = e.cut || f.Cut
	e.stuck = e.stuck || f.Stuck
	switch {
	case e.front != 0:
	case f.Redirect:
		e.front = http.StatusTemporaryRedirect
	case f.HTML:
		e.front = http.StatusBadGateway
	case f.NumericCode:
		e.front = http.StatusInternalServerError
	}
}

// refuses is the no that a fault forces upon a call, or nil. What stands before
// the cloud answers first.
func (e effect) refuses(d *dialect) *refusal {
	switch {
	case e.front != 0:
		return nil
	case e.throttled:
		return &d.busy
	case e.err != nil:
		return e.err.refusal(d)
	default:
		return nil
	}
}

// refusal completes a forced error with what its cloud says under that code.
func (f FaultError) refusal(d *dialect) *refusal {
	why := refusal{f.Status, f.Code, f.Message}
	known := d.known(f.Code)
	if why.status == 0 {
		why.status = known.status
	}
	if why.message == "" {
		why.message = known.message
	}
	return &why
}

// dress makes the answer of something that stands before the cloud.
func (e effect) dress(a *answer, q *request) {
	switch e.front {
	case http.StatusTemporaryRedirect:
		a.header.Set("Location", q.http.URL.RequestURI())
	case http.StatusBadGateway:
		a.header.Set("Content-Type", "text/html")
		a.body = []byte("<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\r\n")
	default:
		a.body = []byte(`{"Code":123,"code":123}`)
	}
}
