package flow_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/simulator"
)

func letters(s *stage) []ledger.DeadLetter {
	s.Helper()
	all, err := s.Ledger.DeadLetters(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return all
}

func TestDeadLetters(t *testing.T) {
	for _, test := range []struct{ name, payload, reason string }{
		{"no JSON", `{"id":`, "JSON"},
		{"no event of ours", `{"specversion":"1.0","id":"1","source":"/s","type":"havip.recover","data":{}}`, "data.cloud"},
		{"a story that can't be one", `{"specversion":"1.0","id":"1","source":"/s","type":"havip.status.check","data":` +
			`{"cloud":"alibaba","region":"cn-hangzhou","havip":"havip-orders","story":"5f2c9a0d41b7e3886c0f92aa","attempt":1,"carried":{"story":7}}}`, "data.carried"},
	} {
		t.Run(test.name, func(t *testing.T) {
			functionstest.Play(t, short, func(s *stage) {
				for range 2 {
					if err := s.Function.Invoke(s.Context(), []byte(test.payload)); err != nil {
						s.Errorf("no redelivery cures it, got %v", err)
					}
				}
				dead := letters(s)
				if len(dead) != 1 || !strings.Contains(dead[0].Reason, test.reason) || dead[0].Attempts != 2 || dead[0].Size == 0 {
					s.Errorf("the dead letters are %+v", dead)
				}
			})
		})
	}
}

// What only the ledger would keep is the host's to keep where the ledger forgets.
func TestForgetful(t *testing.T) {
	functionstest.Play(t, short, func(s *stage) {
		s.Function = s.Host(func(f *flow.Function) { f.Forgetful = true })
		if err := s.Function.Invoke(s.Context(), []byte("{")); !errors.Is(err, events.ErrInvalid) {
			s.Errorf("got %v", err)
		}
		if dead := letters(s); len(dead) != 0 {
			s.Errorf("it was buried as %+v", dead)
		}
	})
}

// A batch is taken as far as it can be read.
func TestBatch(t *testing.T) {
	functionstest.Play(t, short, func(s *stage) {
		good, err := json.Marshal(s.Started("i-db2"))
		if err != nil {
			s.Fatal(err)
		}
		batch := "[" + string(good) + `, {"specversion":"1.0","id":"1","type":"havip.sweep"}, ` + string(good) + "]"
		if err := s.Function.Invoke(s.Context(), []byte(batch)); err != nil {
			s.Error(err)
		}
		if dead := letters(s); len(dead) != 1 || !strings.Contains(dead[0].Reason, "[1]") {
			s.Errorf("the dead letters are %+v", dead)
		}
		s.Want("+i-db2", "attached i-db2", "i-db1* i-db2")
	})
}

const someStory = "0123456789abcdef01234567"

// away is a ledger that can't be reached.
type away struct{ ledger.Ledger }

// Load implements [havip.Ledger].
func (away) Load(context.Context, string) ([]byte, havip.Revision, error) { return nil, 0, errAway }

// Bury implements [ledger.Ledger].
func (away) Bury(context.Context, ledger.DeadLetter) (bool, error) { return false, errAway }

func TestRedelivered(t *testing.T) {
	functionstest.Play(t, short, func(s *stage) {
		s.Function = s.Host(func(f *flow.Function) { f.Ledger, f.Keeper.Ledger = away{s.Ledger}, away{s.Ledger} })
		for _, e := range []events.Event{s.Started("i-db2"), s.Recover(events.Recover{}), s.Sweep(), s.Check(events.StatusCheck{Story: someStory, Attempt: 1})} {
			if err := s.Try(e); !errors.Is(err, errAway) {
				s.Errorf("%s: got %v", e.Type, err)
			}
		}
		if err := s.Function.Invoke(s.Context(), []byte("{")); !errors.Is(err, errAway) {
			s.Errorf("a dead letter that nobody has was acknowledged: %v", err)
		}
		s.Want("", "", "i-db1*")
	})
}

// A cloud's no to a sweep is left to the next one, but excuses nothing else.
func TestSweepThatTheCloudRefuses(t *testing.T) {
	no := simulator.Fault{Operation: "DescribeHaVips", Error: &simulator.FaultError{Code: "Forbidden.RAM"}}
	functionstest.Play(t, short, func(s *stage) {
		s.Fault(no)
		s.Post(s.Sweep())
		s.Function = s.Host(func(f *flow.Function) { f.Keeper.Ledger = away{s.Ledger} })
		if err := s.Try(s.Sweep()); !errors.Is(err, errAway) {
			s.Errorf("got %v", err)
		}
	})
}

func TestNothingFollows(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "from what we don't know", Scene: short, Tell: func(s *stage) {
			unknown := `{"specversion":"1.0","id":"1","source":"/s","type":"com.example.created"}`
			if err := s.Function.Invoke(s.Context(), []byte(unknown)); err != nil {
				s.Error(err)
			}
		}, Outcomes: "ignored", Holders: "i-db1*", Says: []string{"com.example.created"}},
		{Name: "from an outcome, not even another one", Scene: short, Tell: func(s *stage) {
			s.Post(s.Event(events.Outcome{HAVIP: functionstest.Orders, Story: "s", Outcome: "refused"}))
		}, Holders: "i-db1*"},
	})
}

func TestPlan(t *testing.T) {
	functionstest.Play(t, short, func(s *stage) {
		for _, test := range []struct {
			event events.Event
			step  havip.Step
		}{
			{s.Started("i-db2"), havip.Attach},
			{s.Failed("i-db1"), havip.Attach},
			{s.Restored("i-db1"), havip.Attach},
			{s.Recover(events.Recover{Release: "i-db1", Instance: "i-db2"}), havip.Attach},
			{s.Recover(events.Recover{Instance: "i-db4"}), havip.Refuse},
			{s.Started("i-db4"), havip.Refuse},
			{s.Sweep(), havip.Refuse},
		} {
			payload, err := json.Marshal(test.event)
			if err != nil {
				s.Fatal(err)
			}
			plans, err := flow.Plan(s.Context(), s.Function.Keeper, payload)
			if err != nil || len(plans) != 1 || plans[0].Step != test.step {
				s.Errorf("%s: %+v, %v; want %s", test.event.Type, plans, err, test.step)
			}
		}
		s.Want("", "", "i-db1*")
		if _, rev, _ := havip.Load[havip.Record](s.Context(), s.Ledger, key); rev != 0 {
			s.Error("a plan was written down")
		}
	})
}

// A plan says what each rule says of the call, and what would hold it back.
func TestPlanTellsWhatHoldsItBack(t *testing.T) {
	braked := functionstest.Scene{Policy: "members: [i-db1, i-db2, i-db3], hold: 1", Holders: []string{"i-db1"}, Brake: "failovers: 1, within: 10m"}
	for name, tt := range map[string]struct {
		scene    functionstest.Scene
		before   func(*stage)
		fails    string
		of, says string // the verdict that is no, if any
	}{
		"nothing": {short, func(*stage) {}, "i-db1", "", ""},
		"mode":    {scene{Policy: "members: [i-db1, i-db2], hold: 1, mode: observe", Holders: []string{"i-db1"}}, func(*stage) {}, "i-db1", "members and mode", "would Attach i-db2"},
		"cool-down": {scene{Policy: "members: [i-db1, i-db2, i-db3, i-db4], hold: 2", Holders: []string{"i-db1", "i-db2"}}, func(s *stage) {
			s.Instance("i-db1", havip.Stopped)
			s.Post(s.Failed("i-db1"))
			s.Finish()
		}, "i-db2", "cool-down", "cooling down after the failover of"},
		"brake": {braked, func(s *stage) {
			for _, id := range []string{"i-db1", "i-db2"} {
				s.Instance(id, havip.Stopped)
				s.Post(s.Failed(id))
				s.Finish()
			}
		}, "i-db2", "brake", "the brake has let no failover through"},
	} {
		t.Run(name, func(t *testing.T) {
			functionstest.Play(t, tt.scene, func(s *stage) {
				tt.before(s)
				s.Instance(tt.fails, havip.Stopped)
				payload, err := json.Marshal(s.Failed(tt.fails))
				if err != nil {
					s.Fatal(err)
				}
				calls := s.Calls()
				plans, err := flow.Plan(s.Context(), s.Function.Keeper, payload)
				if err != nil || len(plans) != 1 || len(plans[0].Verdicts) != 3 || plans[0].HeldBack() != (tt.of != "") || s.Calls() != calls {
					s.Fatalf("%+v, %v", plans, err)
				}
				for _, v := range plans[0].Verdicts {
					if v.Lets != (v.Of != tt.of) || !v.Lets && !strings.Contains(v.Why, tt.says) {
						s.Errorf("%+v", v)
					}
				}
				if !strings.Contains(plans[0].Rule, tt.says) {
					s.Errorf("the rule is %q", plans[0].Rule)
				}
			})
		})
	}
}

// A host whose sender waits for an answer gives it before it asks a cloud.
func TestLaterAsksNoCloudFirst(t *testing.T) {
	functionstest.Play(t, scene{Policy: "members: [i-db1, i-db2], hold: 1", Holders: []string{"i-db1"}}, func(s *stage) {
		s.Function = s.Host(func(f *flow.Function) { f.Keeper.Later = true })
		s.Instance("i-db1", havip.Stopped)
		if _, err := s.Function.Accept(s.Context(), s.Failed("i-db1")); err != nil {
			s.Fatal(err)
		}
		if asked := s.Clouds.Calls(simulator.CallFilter{}); len(asked) > 0 {
			s.Errorf("the event was answered after %d calls", len(asked))
		}
		if n := len(outbox(s)); n != 1 {
			s.Errorf("%d letters are left to the look that is due now, which takes its own out", n)
		}
		s.Finish()
		if n := len(outbox(s)); n != 0 {
			s.Errorf("it left %d", n)
		}
		s.Want("+i-db2 -i-db1", "attached i-db2", "i-db2*")
	})
}
