package guard

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Sessions are what browsers show instead of an operator's or a reader's token: a time
// until which they last, sealed. The keys come from the tokens, so that hosts of one
// cluster know each other's, and a token that is withdrawn ends its sessions.
type Sessions struct{ keys map[Scope][]string }

// SessionFor is how long one lasts.
const SessionFor = 12 * time.Hour

// NewSessions are those of the operators' and the readers' tokens. Without any of a
// scope it has no sessions, and its forms are sealed with a key of this process.
func NewSessions(g Guard) Sessions {
	keys := map[Scope][]string{Operator: g.Operators, Reader: g.Readers}
	for scope := range keys {
		if len(keys[scope]) == 0 {
			keys[scope] = []string{rand.Text()}
		}
	}
	return Sessions{keys}
}

// Open begins a session for who has shown a token of the scope.
func (s Sessions) Open(scope Scope, now time.Time) string {
	plain := strconv.FormatInt(now.Add(SessionFor).Unix(), 10) + "." + rand.Text()
	return plain + "." + mark(s.keys[scope][0], "session", plain)
}

// Scope is that of the session that the value is of; a [Stranger]'s where it has ended.
func (s Sessions) Scope(value string, now time.Time) Scope {
	at := max(0, strings.LastIndexByte(value, '.'))
	until, _, _ := strings.Cut(value, ".")
	end, err := strconv.ParseInt(until, 10, 64)
	if err != nil || now.Unix() >= end {
		return Stranger
	}
	for _, scope := range []Scope{Operator, Reader} {
		if s.marked(scope, "session", value[:at], strings.TrimPrefix(value[at:], ".")) {
			return scope
		}
	}
	return Stranger
}

// Form is what a form of the session carries, which no other site can know.
func (s Sessions) Form(scope Scope, session string) string {
	return mark(s.keys[scope][0], "form", session)
}

// FormFits tells whether a form is one of the session's.
func (s Sessions) FormFits(scope Scope, session, form string) bool {
	return s.marked(scope, "form", session, form)
}

func (s Sessions) marked(scope Scope, use, text, seal string) bool {
	fits := false
	for _, key := range s.keys[scope] {
		fits = hmac.Equal([]byte(mark(key, use, text)), []byte(seal)) || fits
	}
	return fits
}

func mark(key, use, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("havip.console\x00" + use + "\x00" + text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
