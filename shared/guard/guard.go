// Package guard believes an event only from a sender that proves who it is: with
// a token, or with a signature.
package guard

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// ErrUnproven means that nothing shows who sent a request. Errors that wrap it
// say why in one line, without any secret, and are fit for the sender's eyes.
var ErrUnproven = errors.New("not proven who sends this")

// Guard knows how our senders prove themselves. Several tokens or secrets count
// at once, so that one can be rotated. The zero Guard believes everyone.
type Guard struct {
	Tokens      []string     // as bearer, as last part of the path, or as EventBridge's
	Secrets     [][]byte     // of Standard Webhooks
	EventBridge *EventBridge // asks for its signature beside its token; nil: the token is enough
	Origins     []string     // who may announce a webhook by OPTIONS
}

// FromEnvironment reads HAVIP_INGRESS_TOKEN, HAVIP_WEBHOOK_SECRET and
// HAVIP_WEBHOOK_ORIGINS, lists separated by spaces or commas, and
// HAVIP_EVENTBRIDGE_URL, the URL of EventBridge's target. An error names the
// variable, never its value.
func FromEnvironment(getenv func(string) string) (Guard, error) {
	g := Guard{Tokens: list(getenv("HAVIP_INGRESS_TOKEN")), Origins: list(getenv("HAVIP_WEBHOOK_ORIGINS"))}
	for _, text := range list(getenv("HAVIP_WEBHOOK_SECRET")) {
		secret, err := parseSecret(text)
		if err != nil {
			return Guard{}, fmt.Errorf("HAVIP_WEBHOOK_SECRET: %w", err)
		}
		g.Secrets = append(g.Secrets, secret)
	}
	target := getenv("HAVIP_EVENTBRIDGE_URL")
	if target == "" {
		return g, nil
	}
	if u, err := url.Parse(target); err != nil || u.Host == "" || len(g.Tokens) == 0 {
		return Guard{}, errors.New("HAVIP_EVENTBRIDGE_URL: must be the target's URL as EventBridge has it, beside its token in HAVIP_INGRESS_TOKEN")
	}
	g.EventBridge = NewEventBridge(target)
	return g, nil
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' })
}

// Open tells that everyone is believed.
func (g Guard) Open() bool { return len(g.Tokens) == 0 && len(g.Secrets) == 0 }

// Prove returns nil for a request of one of our senders, and an ErrUnproven
// otherwise; any other error means that we could not find out. The first proof that the request carries decides: a signature of
// Standard Webhooks, then what EventBridge sends, then a token.
func (g Guard) Prove(r *http.Request, body []byte) error {
	switch {
	case g.Open():
		return nil
	case len(g.Secrets) > 0 && r.Header.Get(webhookSignature) != "":
		return g.signed(r.Header, body)
	case len(g.Tokens) > 0 && r.Header.Get(signatureToken) != "":
		return g.fromEventBridge(r, body)
	}
	return g.Token(r)
}

// Show adds to a request of ours what a host with the same Guard asks for.
func (g Guard) Show(r *http.Request, body []byte) {
	switch {
	case len(g.Tokens) > 0:
		r.Header.Set("Authorization", "Bearer "+g.Tokens[0])
	case len(g.Secrets) > 0:
		Sign(r.Header, g.Secrets[0], rand.Text(), body)
	}
}

// Token is Prove for what has no body that a signature could cover: only a token
// counts.
func (g Guard) Token(r *http.Request) error {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		token = r.PathValue("token")
	}
	switch {
	case g.knows(token):
		return nil
	case token != "":
		return unproven("the token is none of ours")
	}
	return unproven("send a token as Authorization: Bearer, or sign the request as Standard Webhooks asks")
}

// NeedsBody tells whether a request can only be judged with its body; any other
// can be turned away before that is read.
func (g Guard) NeedsBody(r *http.Request) bool {
	return r.Header.Get(webhookSignature) != "" || r.Header.Get(signatureToken) != ""
}

// knows compares hashes, so that the time it takes tells neither the length of a
// token nor how much of it was right.
func (g Guard) knows(token string) bool {
	got, found := sha256.Sum256([]byte(token)), 0
	for _, t := range g.Tokens {
		want := sha256.Sum256([]byte(t))
		found |= subtle.ConstantTimeCompare(got[:], want[:])
	}
	return found == 1
}

// Allows tells whether an origin may announce a webhook. Only an equal one may:
// trusted.example.com is no part of trusted.example.com.attacker.tld.
func (g Guard) Allows(origin string) bool {
	for _, o := range g.Origins {
		if strings.EqualFold(o, origin) {
			return true
		}
	}
	return false
}

func unproven(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrUnproven}, args...)...)
}

// covered refuses CloudEvents in binary mode under a signature: none covers their
// headers, and who replays the body could give it another id and meaning.
func covered(h http.Header) error {
	if h.Get("Ce-Specversion") != "" {
		return unproven("the signature does not cover ce- headers; send the event in structured mode")
	}
	return nil
}
