package simulator

import (
	"strings"
	"time"
)

// change begins a change unless its ClientToken is a replay or a rule forbids it.
func (s *Simulator) change(q *request, r *realm, c change) breach {
	now := time.Now() // its delay is over
	if a := r.addresses[q.call.HAVIP]; a != nil {
		a.settle(now)
		q.call.Moving = a.moving()
	}
	key := tokenKey{r, q.call.Operation, q.call.ClientToken}
	asked := q.asked(r)
	if first, used, same := s.replay(key, asked); used {
		if !same {
			return tokenMismatch
		}
		q.call.Replay, q.call.RequestID = true, first.requestID
		return kept
	}
	if b := s.world.judge(r, q.call.HAVIP, c); b != kept {
		return b
	}
	r.addresses[q.call.HAVIP].begin(c, now)
	q.call.Effect = true
	s.remember(key, tokenUse{asked: asked, requestID: q.call.RequestID, at: now})
	return kept
}

// asked is what two calls with one ClientToken have to agree in.
func (q *request) asked(r *realm) string {
	parts := []string{r.spec.Region, q.call.HAVIP, strings.Join(q.call.Instances, " "), q.params["InstanceType"] + q.params["instanceType"]}
	return strings.Join(append(parts, q.params["Force"]), "|")
}

// tokenKey and tokenUse remember which ClientToken asked for what, and the
// answer. Only what succeeded is remembered.
type tokenKey struct {
	realm            *realm
	operation, token string
}

type tokenUse struct {
	asked     string
	requestID string
	at        time.Time
}

// tokensLive is how long a ClientToken is remembered (assumption 13).
const tokensLive = 24 * time.Hour

// replay looks a ClientToken up: whether it was used, and whether for the same.
func (s *Simulator) replay(k tokenKey, asked string) (first tokenUse, used, same bool) {
	first, used = s.tokens[k]
	if k.token == "" || !used || time.Since(first.at) > tokensLive {
		return tokenUse{}, false, false
	}
	return first, true, first.asked == asked
}

// remember keeps the answer to a call that succeeded.
func (s *Simulator) remember(k tokenKey, use tokenUse) {
	if k.token != "" {
		s.tokens[k] = use
	}
}

func tokenAllowed(token string) bool {
	return len(token) <= 64 && !strings.ContainsFunc(token, func(c rune) bool { return c > 126 || c < 32 })
}
