package cloudtest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"havip-functions/shared/havip"
)

const unknown = "i-nosuch"

func (h Harness) testGet(t *testing.T) {
	s := h.start(t, 0)
	have := s.wantHolders()
	if have.ID != h.HAVIP || have.Address == "" || have.Network == "" {
		t.Errorf("got %+v, want id, address and network", have)
	}
	if have.Status != havip.Available || have.Type != "" || have.Serving != "" || have.Moving() {
		t.Errorf("got %+v, want it Available, at rest and without a holder", have)
	}
}

func (h Harness) testAttach(t *testing.T) {
	s := h.start(t, 0)
	receipt, err := s.Attach(t.Context(), s.call(0))
	if err != nil || receipt.RequestID == "" {
		t.Fatalf("got %+v, %v, want a request id", receipt, err)
	}
	have := s.wantHolders(0)
	if have.Status != havip.InUse || have.Type != h.Type || have.Moving() {
		t.Errorf("got %+v, want it InUse by a %s", have, h.Type)
	}
	if have.Serving != "" && !have.On(have.Serving) {
		t.Errorf("%s serves and is no holder", have.Serving)
	}
	s.wantEffects(1)

	s.attached(0) // the same token: a replay
	again := s.call(0)
	again.Token = "another"
	if _, err := s.Attach(t.Context(), again); err != nil {
		t.Errorf("attaching a holder: %v", err)
	}
	s.wantHolders(0)
	s.wantEffects(1)
}

func (h Harness) testDetach(t *testing.T) {
	s := h.start(t, 0)
	s.attached(0)
	s.attached(1)
	s.wantHolders(0, 1)
	call := s.call(1)
	call.Token = "leave"
	s.detached(call)
	s.wantHolders(0)
	s.wantEffects(3)

	s.detached(call) // a replay
	call.Token = "another"
	s.detached(call)
	s.wantHolders(0)
	s.wantEffects(3)
}

// testGuarded takes the HAVIP from who serves: only with Force where the cloud
// guards it.
func (h Harness) testGuarded(t *testing.T) {
	s := h.start(t, 0)
	s.attached(0)
	have := s.get()
	call := s.call(0)
	call.Token = "leave"
	if have.Guarded(h.Members[0]) {
		_, err := s.Detach(t.Context(), call)
		s.wantFailure(err, busy)
		s.wantHolders(0)
		call.Force, call.Token = true, "leave by force"
	}
	s.detached(call)
	if have := s.wantHolders(); have.Status != havip.Available || have.Serving != "" {
		t.Errorf("got %+v, want it Available", have)
	}
}

func (h Harness) testRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(*havip.Call)
		want   verdict
	}{
		{"unknown havip", func(c *havip.Call) { c.HAVIP = "havip-nosuch" }, refused},
		{"unknown instance", func(c *havip.Call) { c.Instance = unknown }, unfit},
		{"another network", func(c *havip.Call) { c.Instance = h.Outsider }, unfit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := h.start(t, 0)
			call := s.call(0)
			tt.change(&call)
			_, err := s.Attach(t.Context(), call)
			s.wantFailure(err, tt.want)
			s.wantEffects(0)
		})
	}
	s := h.start(t, 0)
	_, err := s.Get(t.Context(), "havip-nosuch")
	s.wantFailure(err, refused)
}

func (h Harness) testFull(t *testing.T) {
	s := h.start(t, 0)
	for m := range h.Limit {
		s.attached(m)
	}
	_, err := s.Attach(t.Context(), s.call(h.Limit))
	s.wantFailure(err, refused)
	s.wantEffects(h.Limit)
}

func (h Harness) testKeys(t *testing.T) {
	wrong := h.Keys
	wrong.AccessKeySecret = noSecret.AccessKeySecret
	for name, keys := range map[string]havip.Credentials{"none": {}, "unknown": noSecret, "wrong": wrong} {
		t.Run(name, func(t *testing.T) {
			s := h.start(t, 0)
			cloud := s.Open(Access{Keys: keys})
			_, err := cloud.Get(t.Context(), h.HAVIP)
			s.wantFailure(err, refused)
			_, err = cloud.Attach(t.Context(), s.call(0))
			s.wantFailure(err, refused)
			s.wantEffects(0)
		})
	}
}

func (h Harness) testMoving(t *testing.T) {
	s := h.start(t, time.Hour)
	s.attached(0)
	if have := s.wantHolders(); have.Status == havip.InUse {
		t.Errorf("got %+v, want the attach not to show yet", have)
	}
	_, err := s.Attach(t.Context(), s.call(1))
	s.wantFailure(err, busy)
	s.attached(0) // a replay is no second call
	s.wantEffects(1)
}

func (h Harness) testList(t *testing.T) {
	s := h.start(t, 0)
	s.attached(0)
	list, err := s.List(t.Context())
	if err != nil || len(list) != h.HAVIPs {
		t.Fatalf("got %d HAVIPs, %v, want %d", len(list), err, h.HAVIPs)
	}
	byID := map[string]havip.HAVIP{}
	for _, v := range list {
		byID[v.ID] = v
	}
	if got, want := byID[h.HAVIP], s.get(); len(byID) != h.HAVIPs || !reflect.DeepEqual(got, want) {
		t.Errorf("%d different ones, and got %+v, want %+v", len(byID), got, want)
	}
}

func (h Harness) testStates(t *testing.T) {
	s := h.start(t, 0)
	s.SetInstance(h.Members[1], havip.Stopped)
	s.SetInstance(h.Members[2], havip.Starting)
	states, err := s.States(t.Context(), append([]string{unknown}, h.Members...))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]havip.InstanceState{h.Members[0]: havip.Running, h.Members[1]: havip.Stopped, h.Members[2]: havip.Starting}
	for id, state := range want {
		if states[id] != state {
			t.Errorf("%s is %q, want %q", id, states[id], state)
		}
	}
	if got, told := states[unknown]; told && got != havip.Deleted {
		t.Errorf("an unknown instance is %q, want it Deleted or left out", got)
	}
	if none, err := s.States(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("of no instance: %v, %v", none, err)
	}
}

func (h Harness) testCanceled(t *testing.T) {
	s := h.start(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Attach(ctx, s.call(0))
	s.wantFailure(err, busy)
	_, err = s.Get(ctx, h.HAVIP)
	s.wantFailure(err, busy)
	s.wantEffects(0)
}
