package cloudtest

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/havip"
)

// session is one test: a world and a cloud with the right keys.
type session struct {
	*testing.T
	World
	Cloud
	h Harness
}

func (h Harness) start(t *testing.T, moves time.Duration) session {
	t.Helper()
	w := h.Start(t, moves)
	return session{T: t, World: w, Cloud: w.Open(Access{Keys: h.Keys}), h: h}
}

// call asks for a member under a token of its own.
func (s session) call(member int) havip.Call {
	m := s.h.Members[member]
	return havip.Call{HAVIP: s.h.HAVIP, Instance: m, InstanceType: s.h.Type, Token: "token-" + m}
}

func (s session) attached(member int) {
	s.Helper()
	if _, err := s.Attach(s.Context(), s.call(member)); err != nil {
		s.Fatalf("attach %s: %v", s.h.Members[member], err)
	}
}

func (s session) detached(c havip.Call) {
	s.Helper()
	if _, err := s.Detach(s.Context(), c); err != nil {
		s.Fatalf("detach %s: %v", c.Instance, err)
	}
}

func (s session) get() havip.HAVIP {
	s.Helper()
	have, err := s.Get(s.Context(), s.h.HAVIP)
	if err != nil {
		s.Fatalf("get: %v", err)
	}
	return have
}

func (s session) wantHolders(members ...int) havip.HAVIP {
	s.Helper()
	var want []string
	for _, m := range members {
		want = append(want, s.h.Members[m])
	}
	have := s.get()
	if !slices.Equal(slices.Sorted(slices.Values(have.Holders)), want) {
		s.Fatalf("the holders are %v, want %v", have.Holders, want)
	}
	return have
}

func (s session) wantEffects(want int) {
	s.Helper()
	if got := s.Effects(); got != want {
		s.Errorf("%d calls changed a HAVIP, want %d", got, want)
	}
}

// verdict is what a failure should say of itself.
type verdict struct {
	kind     error
	lost     bool
	instance bool
}

var (
	busy     = verdict{kind: havip.ErrBusy}
	lost     = verdict{kind: havip.ErrBusy, lost: true}
	refused  = verdict{kind: havip.ErrRefused}
	unfit    = verdict{kind: havip.ErrRefused, instance: true}
	noSecret = havip.Credentials{AccessKeyID: "nobody", AccessKeySecret: "not/the+secret", SecurityToken: "nor/the+token=="}
)

// wantFailure also holds every failure to what any must be: ours, named, one line,
// with advice and without secrets.
func (s session) wantFailure(err error, want verdict) {
	s.Helper()
	var e *havip.Error
	if !errors.As(err, &e) {
		s.Fatalf("got %v, want a *havip.Error", err)
	}
	if got := (verdict{e.Kind, e.Lost, e.Instance}); got != want {
		s.Errorf("got %+v, want %+v: %v", got, want, err)
	}
	if e.Op == "" || e.Code == "" || e.Advice == "" || strings.Contains(err.Error(), "\n") {
		s.Errorf("it lacks an operation, a code or advice, or is no single line: %q", err)
	}
	s.wantNoSecret(err.Error() + e.Message)
}

func (s session) wantNoSecret(text string) {
	s.Helper()
	for _, keys := range []havip.Credentials{s.h.Keys, noSecret} {
		for _, secret := range []string{keys.AccessKeySecret, keys.SecurityToken} {
			once := url.QueryEscape(secret)
			for _, form := range []string{secret, once, url.QueryEscape(once)} {
				if form != "" && strings.Contains(text, form) {
					s.Errorf("the error shows the secret %q: %s", form, text)
				}
			}
		}
	}
}
