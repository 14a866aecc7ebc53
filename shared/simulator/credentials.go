package simulator

import (
	"slices"
	"strings"
	"time"
)

// credential is what a cloud knows of an access key.
type credential struct {
	secret  string
	token   string    // "": none is demanded
	expires time.Time // zero: never
	realms  []*realm
}

// credential finds an access key of a cloud, a temporary one too.
func (s *Simulator) credential(cloud, keyID string) (credential, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.session.get(keyID); ok && cloud == "alibaba" {
		return c, true
	}
	var c credential
	for _, r := range s.world.realms[cloud] {
		if secret, ok := r.spec.AccessKeys[keyID]; ok {
			c.secret = secret
			c.token = r.spec.SecurityTokens[keyID]
			c.realms = append(c.realms, r)
		}
	}
	return c, len(c.realms) > 0
}

// longestSession is how long temporary credentials may live.
const longestSession = 12 * time.Hour

// newSession makes temporary credentials, valid on Alibaba's side, and returns
// their key's id.
func (s *Simulator) newSession(realms []*realm, lives time.Duration) (keyID string, c credential) {
	keyID = "STS." + s.text(24)
	now := time.Now()
	c = credential{secret: s.text(44), token: "CAIS" + s.text(120), expires: now.Add(lives), realms: slices.Clone(realms)}
	s.session.put(keyID, c, now)
	return keyID, c
}

// text draws letters and digits.
func (s *Simulator) text(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var b strings.Builder
	for range n {
		b.WriteByte(letters[s.rng.IntN(len(letters))])
	}
	return b.String()
}

// A signature's own time may be this far from ours, either way.
const skew = 15 * time.Minute

func skewed(at, now time.Time) bool { return at.Before(now.Add(-skew)) || at.After(now.Add(skew)) }

// fresh uses up a nonce of an access key, which is remembered for as long as its
// timestamp could be accepted.
func (s *Simulator) fresh(keyID, nonce string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := keyID + "/" + nonce
	if _, used := s.nonces.get(key); used {
		return false
	}
	s.nonces.put(key, struct{}{}, now)
	return true
}
