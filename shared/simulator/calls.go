package simulator

import "time"

// Call is one call that reached a cloud, as it was judged.
type Call struct {
	N           int               `json:"n"` // from 1, in the order of the effects
	Time        time.Time         `json:"time"`
	Cloud       string            `json:"cloud"`
	Region      string            `json:"region"`
	Operation   string            `json:"operation"` // the cloud's action; GetHaVip, ListHaVips, AttachHaVip, DetachHaVip, ListInstances on Baidu
	HAVIP       string            `json:"havip"`
	Instances   []string          `json:"instances"`
	Params      map[string]string `json:"params"` // without what is secret
	AccessKeyID string            `json:"accessKeyId"`
	Signature   string            `json:"signature"` // V1, ACS3 or BCE
	ClientToken string            `json:"clientToken"`
	RequestID   string            `json:"requestId"`
	Status      int               `json:"status"` // of HTTP; 0 where the connection was cut before any effect
	Code        string            `json:"code"`
	Effect      bool              `json:"effect"`    // it changed the world
	Replay      bool              `json:"replay"`    // its ClientToken repeated an earlier call's answer
	Moving      bool              `json:"moving"`    // a mutating call that found the HAVIP moving
	ReplyLost   bool              `json:"replyLost"` // the client got no answer
	MS          int64             `json:"ms"`
}

// CallFilter picks calls; an empty field picks any.
type CallFilter struct {
	Operation string
	HAVIP     string
}

func (f CallFilter) picks(c Call) bool {
	return (f.Operation == "" || f.Operation == c.Operation) && (f.HAVIP == "" || f.HAVIP == c.HAVIP)
}

// Calls returns the calls that the filter picks among the last 100,000, in order.
func (s *Simulator) Calls(filter CallFilter) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls.pick(filter)
}

const journalSize = 100_000

// journal is a ring of the last calls, and a count of all.
type journal struct {
	ring  []Call
	next  int // where the oldest one stands once the ring is full
	count map[CallFilter]int
}

func (j *journal) add(c Call) {
	if j.count == nil {
		j.count = map[CallFilter]int{}
	}
	c.N = j.count[CallFilter{}] + 1
	j.count[CallFilter{}]++
	if c.Operation != "" {
		j.count[CallFilter{Operation: c.Operation}]++
	}
	if c.HAVIP != "" {
		j.count[CallFilter{HAVIP: c.HAVIP}]++
	}
	if c.Operation != "" && c.HAVIP != "" {
		j.count[CallFilter{c.Operation, c.HAVIP}]++
	}
	if len(j.ring) < journalSize {
		j.ring = append(j.ring, c)
		return
	}
	j.ring[j.next] = c
	j.next = (j.next + 1) % journalSize
}

func (j *journal) pick(filter CallFilter) []Call {
	picked := []Call{}
	for i := range j.ring {
		if c := j.ring[(j.next+i)%len(j.ring)]; filter.picks(c) {
			picked = append(picked, c)
		}
	}
	return picked
}
