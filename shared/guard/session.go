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

// Sessions are what browsers show instead of an operator's token: a time until which
// they last, sealed. The keys come from the tokens, so that hosts of one cluster know
// each other's, and a token that is withdrawn ends its sessions.
type Sessions struct{ keys []string }

// SessionFor is how long one lasts.
const SessionFor = 12 * time.Hour

// NewSessions are those of the operators' tokens. Without any there are no sessions, and
// the forms of this process are sealed with a key of its own.
func NewSessions(g Guard) Sessions {
	if len(g.Operators) == 0 {
		return Sessions{[]string{rand.Text()}}
	}
	return Sessions{g.Operators}
}

// Open begins a session for who has shown an operator's token.
func (s Sessions) Open(now time.Time) string {
	plain := strconv.FormatInt(now.Add(SessionFor).Unix(), 10) + "." + rand.Text()
	return plain + "." + mark(s.keys[0], "session", plain)
}

// Fits tells whether the value is of a session that still lasts.
func (s Sessions) Fits(value string, now time.Time) bool {
	at := strings.LastIndexByte(value, '.')
	if at < 0 || !s.marked("session", value[:at], value[at+1:]) {
		return false
	}
	until, _, _ := strings.Cut(value, ".")
	end, err := strconv.ParseInt(until, 10, 64)
	return err == nil && now.Unix() < end
}

// Form is what a form of the session carries, which no other site can know.
func (s Sessions) Form(session string) string { return mark(s.keys[0], "form", session) }

// FormFits tells whether a form is one of the session's.
func (s Sessions) FormFits(session, form string) bool { return s.marked("form", session, form) }

func (s Sessions) marked(use, text, seal string) bool {
	fits := false
	for _, key := range s.keys {
		fits = hmac.Equal([]byte(mark(key, use, text)), []byte(seal)) || fits
	}
	return fits
}

func mark(key, use, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("havip.console\x00" + use + "\x00" + text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Operates tells whether a token is an operator's.
func (g Guard) Operates(token string) bool { return knows(g.Operators, token) }
