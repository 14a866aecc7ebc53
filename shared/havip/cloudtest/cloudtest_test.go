package cloudtest_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/havip/cloudtest"
)

// TestMemory holds a cloud without a wire to the suite.
func TestMemory(t *testing.T) {
	h := cloudtest.Harness{
		HAVIP: "havip-1", HAVIPs: 2, Limit: 2, Type: "SERVER",
		Members: []string{"i-1", "i-2", "i-3"}, Outsider: "i-far",
		Keys: havip.Credentials{AccessKeyID: "ak", AccessKeySecret: "secret"},
	}
	h.Start = func(_ *testing.T, moves time.Duration) cloudtest.World {
		m := &memory{h: h, moves: moves, tokens: map[string]bool{}, states: map[string]havip.InstanceState{}}
		for _, id := range h.Members {
			m.states[id] = havip.Running
		}
		return cloudtest.World{
			Open:        func(a cloudtest.Access) cloudtest.Cloud { return account{m, a.Keys} },
			SetInstance: func(id string, s havip.InstanceState) { m.states[id] = s },
			Effects:     func() int { return len(m.tokens) },
		}
	}
	cloudtest.Test(t, h)
}

// memory is one HAVIP that guards nobody, and a spare one.
type memory struct {
	h     cloudtest.Harness
	moves time.Duration

	mu      sync.Mutex
	holders []string
	busy    time.Time
	tokens  map[string]bool
	states  map[string]havip.InstanceState
}

// account is the memory, seen with a key.
type account struct {
	*memory
	keys havip.Credentials
}

func (a account) refusal(ctx context.Context, id string) error {
	switch {
	case ctx.Err() != nil:
		return failure(havip.ErrBusy, "Canceled")
	case a.keys != a.h.Keys:
		return failure(havip.ErrRefused, "Keys")
	case id != a.h.HAVIP:
		return failure(havip.ErrRefused, "NoSuchHAVIP")
	default:
		return nil
	}
}

func failure(kind error, code string) *havip.Error {
	return &havip.Error{Kind: kind, Op: "Call", Code: code, Advice: "none"}
}

func (a account) Get(ctx context.Context, id string) (havip.HAVIP, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.read(), a.refusal(ctx, id)
}

func (m *memory) read() havip.HAVIP {
	have := havip.HAVIP{ID: m.h.HAVIP, Address: "10.0.0.1", Network: "n", Status: havip.Available}
	if time.Now().Before(m.busy) {
		have.Status = havip.Associating
	} else if have.Holders = slices.Clone(m.holders); len(have.Holders) > 0 {
		have.Status, have.Type = havip.InUse, m.h.Type
	}
	return have
}

func (a account) Attach(ctx context.Context, c havip.Call) (havip.Receipt, error) {
	return a.change(ctx, c, func() (bool, error) {
		switch {
		case slices.Contains(a.holders, c.Instance):
			return false, nil
		case !slices.Contains(a.h.Members, c.Instance):
			e := failure(havip.ErrRefused, "Unfit")
			e.Instance = true
			return false, e
		case len(a.holders) == a.h.Limit:
			return false, failure(havip.ErrRefused, "Full")
		}
		a.holders = append(a.holders, c.Instance)
		return true, nil
	})
}

func (a account) Detach(ctx context.Context, c havip.Call) (havip.Receipt, error) {
	return a.change(ctx, c, func() (bool, error) {
		before := len(a.holders)
		a.holders = slices.DeleteFunc(a.holders, func(h string) bool { return h == c.Instance })
		return len(a.holders) < before, nil
	})
}

// change calls do, which tells whether it changed anything, unless the token or
// the time forbids.
func (a account) change(ctx context.Context, c havip.Call, do func() (bool, error)) (havip.Receipt, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.refusal(ctx, c.HAVIP)
	switch {
	case err != nil:
		return havip.Receipt{}, err
	case a.tokens[c.Token]:
		return havip.Receipt{RequestID: c.Token}, nil
	case time.Now().Before(a.busy):
		return havip.Receipt{}, failure(havip.ErrBusy, "Moving")
	}
	changed, err := do()
	if changed {
		a.tokens[c.Token] = true
		a.busy = time.Now().Add(a.moves)
	}
	return havip.Receipt{RequestID: c.Token}, err
}

func (a account) List(context.Context) ([]havip.HAVIP, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return []havip.HAVIP{{ID: "spare"}, a.read()}, nil
}

func (a account) States(_ context.Context, ids []string) (map[string]havip.InstanceState, error) {
	states := maps.Clone(a.states)
	maps.DeleteFunc(states, func(id string, _ havip.InstanceState) bool { return !slices.Contains(ids, id) })
	return states, nil
}
