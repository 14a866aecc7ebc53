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
	key, asked := tokenKey{r, q.call.Operation, q.call.ClientToken}, q.asked(r)
	if first, used := s.replay(key, now); used {
		if first.asked != asked {
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
	if key.token != "" {
		s.tokens.put(key, tokenUse{asked: asked, requestID: q.call.RequestID, at: now}, now)
	}
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

// replay finds the first use of a ClientToken, if it is remembered.
func (s *Simulator) replay(key tokenKey, now time.Time) (first tokenUse, used bool) {
	first, used = s.tokens.get(key)
	return first, used && now.Sub(first.at) <= tokensLive
}

func tokenAllowed(token string) bool {
	return len(token) <= 64 && !strings.ContainsFunc(token, func(c rune) bool { return c > 126 || c < 32 })
}
