package statuscheck_test

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/roster"
	"havip-functions/shared/simulator"
)

type (
	stage = functionstest.Stage
	scene = functionstest.Scene
)

var alone = scene{Policy: "members: [i-db1, i-db2], hold: 1", Holders: []string{"i-db1"}}

// begun tells that i-db1 failed a second ago, so that its successor is on its way.
func begun(s *stage) havip.Story {
	s.Helper()
	s.Instance("i-db1", havip.Stopped)
	s.Post(s.Failed("i-db1"))
	s.Wait(time.Second)
	return *record(s).Story
}

const key = "alibaba.cn-hangzhou." + functionstest.Orders

func record(s *stage) havip.Record {
	s.Helper()
	r, _, err := havip.Load[havip.Record](s.Context(), s.Ledger, key)
	if err != nil {
		s.Fatal(err)
	}
	return r
}

func TestUntilItIsSo(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "InUse alone is not attached", Scene: alone, Tell: func(s *stage) {
			story := begun(s)
			if n := len(s.Outcomes); n > 0 || story.Attempt < 2 {
				s.Errorf("%d outcomes at attempt %d, while i-db1 alone holds it", n, story.Attempt)
			}
		}, Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "a change that never ends is timed out", Scene: alone, Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Stuck: true})
			began := time.Now()
			begun(s)
			s.Finish()
			if took := time.Since(began); took != 5*time.Minute {
				s.Errorf("it ended after %s, its deadline is 5m", took)
			}
		}, Calls: "+i-db2", Outcomes: "timedout", Holders: "i-db1", Says: []string{"Associating", "havip story "}},
		{Name: "no call is made at the deadline", Scene: alone, Tell: func(s *stage) {
			s.Fault(simulator.Fault{Operation: "AssociateHaVip", Times: 1, Error: &simulator.FaultError{Code: "SystemBusy"}})
			s.Post(s.Failed("i-db1"))
			story := record(s).Story
			s.LoseFollowUps()
			s.Wait(time.Until(story.Deadline))
			s.Post(s.Check(events.StatusCheck{Story: story.ID, Attempt: story.Attempt}))
		}, Calls: "+i-db2:SystemBusy", Outcomes: "timedout", Holders: "i-db1*", Says: []string{"SystemBusy"}},
	})
}

// another is the id of a story that nobody opened.
const another = "5f2c9a0d41b7e3886c0f92aa"

func TestChangeNothing(t *testing.T) {
	for _, test := range []struct {
		name        string
		story       string // "": the one under way
		later       int    // than the attempt that is due
		redelivered bool   // the ledger's answer was an old one
	}{
		{"of another story", another, 0, false},
		{"of an attempt past", "", -1, false},
		{"of one to come", "", 1, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			functionstest.Play(t, alone, func(s *stage) {
				story := begun(s)
				before := len(s.Clouds.Calls(simulator.CallFilter{}))
				check := events.StatusCheck{Story: cmp.Or(test.story, story.ID), Attempt: story.Attempt + test.later}
				if err := s.Try(s.Check(check)); (err != nil) != test.redelivered {
					s.Errorf("got %v", err)
				}
				if after := len(s.Clouds.Calls(simulator.CallFilter{})); after != before {
					s.Errorf("%d calls to the cloud", after-before)
				}
				s.Want("+i-db2 -i-db1", "attached i-db2", "i-db2*")
			})
		})
	}
}

func TestTwice(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{
		{Name: "a check that comes twice looks once", Scene: alone, Tell: func(s *stage) {
			story := begun(s)
			check := s.Check(events.StatusCheck{Story: story.ID, Attempt: story.Attempt})
			s.Post(check)
			before := len(s.Clouds.Calls(simulator.CallFilter{}))
			s.Post(check)
			if after := len(s.Clouds.Calls(simulator.CallFilter{})); after != before {
				s.Errorf("%d calls to the cloud", after-before)
			}
		}, Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "one of a story that ended, too", Scene: alone, Tell: func(s *stage) {
			story := begun(s)
			s.Finish()
			s.Post(s.Check(events.StatusCheck{Story: story.ID, Attempt: story.Attempt}))
		}, Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2", Holders: "i-db2*"},
	})
}

// Without a record the story that the follow-up carries goes on.
func TestLedgerLost(t *testing.T) {
	forget := func(s *stage) {
		s.Ledger = ledger.NewMemory()
		s.Function = s.Host(func(*flow.Function) {})
	}
	functionstest.Run(t, []functionstest.Story{
		{Name: "it is adopted", Scene: alone, Tell: func(s *stage) {
			begun(s)
			forget(s)
		}, Calls: "+i-db2 -i-db1", Outcomes: "attached i-db2", Holders: "i-db2*"},
		{Name: "of two the other is superseded", Scene: alone, Tell: func(s *stage) {
			story := begun(s)
			carried, err := record(s).Carry()
			if err != nil {
				s.Fatal(err)
			}
			forget(s)
			s.LoseFollowUps()
			s.Post(s.Failed("i-db1"))
			s.Post(s.Check(events.StatusCheck{Story: story.ID, Attempt: story.Attempt, Carried: carried}))
		}, Calls: "+i-db2 -i-db1", Outcomes: "superseded, attached i-db2", Holders: "i-db2*"},
		{Name: "what nobody carries is nobody's", Scene: alone, Tell: func(s *stage) {
			story := begun(s)
			forget(s)
			s.LoseFollowUps()
			s.Post(s.Check(events.StatusCheck{Story: story.ID, Attempt: story.Attempt}))
		}, Calls: "+i-db2", Holders: "i-db1"},
	})
}

func TestRosterLost(t *testing.T) {
	functionstest.Run(t, []functionstest.Story{{
		Name: "a HAVIP that is no longer on it", Scene: alone, Tell: func(s *stage) {
			begun(s)
			elsewhere, err := roster.Parse([]byte("havips: [{name: web, cloud: baidu, region: bj, id: havip-1, members: [i-1]}]"))
			if err != nil {
				s.Fatal(err)
			}
			s.Function = s.Host(func(f *flow.Function) { f.Keeper.Roster = elsewhere })
		}, Calls: "+i-db2", Outcomes: "refused", Holders: "i-db1", Says: []string{"no longer on the roster"},
	}})
}

func TestCarriedIsInvalid(t *testing.T) {
	for name, carried := range map[string]string{
		"no story":                 `{"story":7}`,
		"a story of another HAVIP": `{"story":{"id":"` + another + `","havip":{"cloud":"alibaba","region":"cn-hangzhou","havip":"havip-users"},"attempt":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			functionstest.Play(t, scene{Users: "members: [i-db1]"}, func(s *stage) {
				s.Post(s.Recover(events.Recover{HAVIP: functionstest.Users})) // it has a record
				s.Finish()
				s.Post(s.Check(events.StatusCheck{Story: another, Attempt: 1, Carried: []byte(carried)}))
				letters, err := s.Ledger.DeadLetters(s.Context())
				if err != nil || len(letters) != 1 || !strings.Contains(letters[0].Reason, "data.carried") {
					s.Errorf("the dead letters are %+v, %v", letters, err)
				}
				s.Want("+i-db1@users", "attached i-db1@users", "")
			})
		})
	}
}
