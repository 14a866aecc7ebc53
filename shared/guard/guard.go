// Package guard believes an event only from a sender that proves who it is, with
// a token or a signature, and knows what each kind of sender may say.
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
// at once, so that one can be rotated. The zero Guard asks for none, and believes
// only who stands on the same machine: see [Local].
type Guard struct {
	Tokens      []string     // of reporters: as bearer, as last part of the path, or as EventBridge's
	Operators   []string     // their tokens: as bearer alone
	Readers     []string     // so theirs
	Secrets     [][]byte     // of reporters that sign as Standard Webhooks asks
	EventBridge *EventBridge // asks for its signature beside its token; nil: the token is enough
	Origins     []string     // who may announce a webhook by OPTIONS
}

// minToken is how long a token must be at least: a shorter one can be guessed.
const minToken = 16

// FromEnvironment reads HAVIP_INGRESS_TOKEN and HAVIP_WEBHOOK_SECRET (reporters),
// HAVIP_OPERATOR_TOKEN, HAVIP_READER_TOKEN and HAVIP_WEBHOOK_ORIGINS, lists separated by spaces or
// commas, and HAVIP_EVENTBRIDGE_URL, the URL of EventBridge's target. An error
// names the variable, never its value.
func FromEnvironment(getenv func(string) string) (g Guard, err error) {
	var tokens, operators, readers, secrets error
	g.Tokens, tokens = tokensIn(getenv, "HAVIP_INGRESS_TOKEN")
	g.Operators, operators = tokensIn(getenv, "HAVIP_OPERATOR_TOKEN")
	g.Readers, readers = tokensIn(getenv, "HAVIP_READER_TOKEN")
	g.Secrets, secrets = SecretsIn(getenv, "HAVIP_WEBHOOK_SECRET")
	if err := first(tokens, operators, readers, secrets); err != nil {
		return Guard{}, err
	}
	for _, t := range g.Operators {
		if knows(g.Tokens, t) {
			return Guard{}, errors.New("HAVIP_OPERATOR_TOKEN: has a token of HAVIP_INGRESS_TOKEN; give operators one of their own")
		}
	}
	for _, t := range g.Readers {
		if knows(g.Tokens, t) || knows(g.Operators, t) {
			return Guard{}, errors.New("HAVIP_READER_TOKEN: has a token of another scope; give readers one of their own")
		}
	}
	g.Origins = list(getenv("HAVIP_WEBHOOK_ORIGINS"))
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

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// tokensIn reads a list of tokens. One that is set and holds none is a mistake
// that would leave a door open.
func tokensIn(getenv func(string) string, name string) ([]string, error) {
	text := getenv(name)
	tokens := list(text)
	if len(tokens) == 0 && text != "" {
		return nil, fmt.Errorf("%s: is set and holds no token; unset it, or give one", name)
	}
	for _, t := range tokens {
		if len(t) < minToken {
			return nil, fmt.Errorf("%s: has a token shorter than %d characters, which can be guessed", name, minToken)
		}
	}
	return tokens, nil
}

// SecretsIn reads a list of secrets of Standard Webhooks, separated by spaces or commas,
// from one variable. An error names it, never its value.
func SecretsIn(getenv func(string) string, name string) (secrets [][]byte, err error) {
	tokens, err := tokensIn(getenv, name)
	for _, text := range tokens {
		secret, wrong := parseSecret(text)
		if wrong != nil {
			return nil, fmt.Errorf("%s: %w", name, wrong)
		}
		secrets = append(secrets, secret)
	}
	return secrets, err
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' })
}

// Open tells that no proof is asked for.
func (g Guard) Open() bool {
	return len(g.Tokens) == 0 && len(g.Operators) == 0 && len(g.Readers) == 0 && len(g.Secrets) == 0
}

// Prove returns what the sender of a request may say, and an ErrUnproven for a
// [Stranger]; any other error means that we could not find out. The first proof
// that the request carries decides: a signature of Standard Webhooks, then what
// EventBridge sends, then a token.
func (g Guard) Prove(r *http.Request, body []byte) (Scope, error) {
	switch {
	case len(g.Secrets) > 0 && r.Header.Get(webhookSignature) != "":
		return reporter(g.signed(r.Header, body))
	case len(g.Tokens) > 0 && r.Header.Get(signatureToken) != "":
		return reporter(g.fromEventBridge(r, body))
	}
	return g.Token(r)
}

func reporter(err error) (Scope, error) {
	if err != nil {
		return Stranger, err
	}
	return Reporter, nil
}

// Show adds to a request of ours what a host with the same Guard asks for, the
// operators' proof where we have it.
func (g Guard) Show(r *http.Request, body []byte) {
	switch {
	case len(g.Operators) > 0:
		r.Header.Set("Authorization", "Bearer "+g.Operators[0])
	case len(g.Readers) > 0 && r.Method == http.MethodGet:
		r.Header.Set("Authorization", "Bearer "+g.Readers[0])
	case len(g.Tokens) > 0:
		r.Header.Set("Authorization", "Bearer "+g.Tokens[0])
	case len(g.Secrets) > 0:
		Sign(r.Header, rand.Text(), body, g.Secrets[0])
	}
}

// Token is Prove for what has no body that a signature could cover: only a token
// counts, an operator's or a reader's only as bearer, since addresses end up in logs. Without
// any to ask for, who is on this machine is an operator.
func (g Guard) Token(r *http.Request) (Scope, error) {
	if g.Open() {
		if err := Local(r); err != nil {
			return Stranger, err
		}
		return Operator, nil
	}
	bearer, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	token := bearer
	if !found {
		token = r.PathValue("token")
	}
	switch {
	case found && g.Sees(bearer) != Stranger:
		return g.Sees(bearer), nil
	case knows(g.Tokens, token):
		return Reporter, nil
	case token != "":
		return Stranger, unproven("the token is none of ours")
	}
	return Stranger, unproven("send a token as Authorization: Bearer, or sign the request as Standard Webhooks asks")
}

// Sees is the scope of a token by which one sees what there is: an operator's or a
// reader's. Any other is a stranger's.
func (g Guard) Sees(token string) Scope {
	switch {
	case knows(g.Operators, token):
		return Operator
	case knows(g.Readers, token):
		return Reader
	}
	return Stranger
}

// NeedsBody tells whether a request brings a proof of ours that can only be judged
// with its body; any other can be turned away before that is read.
func (g Guard) NeedsBody(r *http.Request) bool {
	return len(g.Secrets) > 0 && r.Header.Get(webhookSignature) != "" ||
		len(g.Tokens) > 0 && knows(g.Tokens, r.Header.Get(signatureToken))
}

// knows compares hashes, so that the time it takes tells neither the length of a
// token nor how much of it was right.
func knows(tokens []string, token string) bool {
	got, found := sha256.Sum256([]byte(token)), 0
	for _, t := range tokens {
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
