package simulator_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
	"havip-functions/shared/simulator/worldfile"
)

// look is what Alibaba says of the built-in HAVIP: status, holders, master.
func (c *client) look() string {
	r := c.rpc("DescribeHaVips", "Filter.1.Key", "HaVipId", "Filter.1.Value.1", "havip-bp1orders").want(c.t, 200, "")
	h := r.body["HaVips"].(map[string]any)["HaVip"].([]any)[0].(map[string]any)
	var ids []string
	for _, id := range h["AssociatedInstances"].(map[string]any)["associatedInstance"].([]any) {
		ids = append(ids, id.(string))
	}
	return h["Status"].(string) + " [" + strings.Join(ids, " ") + "] " + h["MasterInstanceId"].(string)
}

// lookBaidu likewise, of Baidu's.
func (c *client) lookBaidu() string {
	r := c.rest("GET", "/v1/havip/havip-w2d4", "").want(c.t, 200, "")
	var ids []string
	for _, b := range r.body["bindedInstances"].([]any) {
		id := b.(map[string]any)["instanceId"].(string)
		if b.(map[string]any)["master"].(bool) {
			id += "*"
		}
		ids = append(ids, id)
	}
	return r.text("status") + " [" + strings.Join(ids, " ") + "]"
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// bubble runs a test in its own time, with the standard durations: 2 s for a
// move, 3.6 s until a standby takes over.
func bubble(t *testing.T, test func(*testing.T, *simulator.Simulator, *client)) {
	t.Helper()
	inTime(t, simulator.Options{}, test)
}

const takeOver = 3600 * time.Millisecond

func inTime(t *testing.T, o simulator.Options, test func(*testing.T, *simulator.Simulator, *client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := simulator.New(o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		test(t, s, newClient(t, s))
	})
}

func (c *client) change(action, instance string, more ...string) reply {
	return c.rpc(action, append([]string{"HaVipId", "havip-bp1orders", "InstanceId", instance}, more...)...)
}

func TestAssociationTakesItsTime(t *testing.T) {
	bubble(t, func(t *testing.T, _ *simulator.Simulator, c *client) {
		expect(t, c.look(), "Available [] ")
		c.change("AssociateHaVip", "i-db1").want(t, 200, "")
		expect(t, c.look(), "Associating [] ")
		c.change("AssociateHaVip", "i-db2").want(t, 400, "IncorrectHaVipStatus")
		elapse(2*time.Second - 1)
		expect(t, c.look(), "Associating [] ")
		elapse(1)
		expect(t, c.look(), "InUse [i-db1] i-db1")

		c.change("AssociateHaVip", "i-db2").want(t, 200, "")
		expect(t, c.look(), "Associating [i-db1] i-db1")
		elapse(2 * time.Second)
		expect(t, c.look(), "InUse [i-db1 i-db2] i-db1")
		c.change("AssociateHaVip", "i-db3").want(t, 400, "CountLimitExceeded.HaVipOnECSInstance")

		c.change("UnassociateHaVip", "i-db2").want(t, 200, "")
		expect(t, c.look(), "Unassociating [i-db1 i-db2] i-db1")
		c.change("UnassociateHaVip", "i-db1", "Force", "True").want(t, 400, "IncorrectHaVipStatus")
		elapse(2 * time.Second)
		c.change("UnassociateHaVip", "i-db1", "Force", "True").want(t, 200, "")
		elapse(2 * time.Second)
		expect(t, c.look(), "Available [] ")
	})
}

func TestBaiduShowsNoStateBetween(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		expect(t, c.lookBaidu(), "available []")
		r := c.attach("attach", "i-syG1", "i-syG2").want(t, 200, "")
		if r.Raw != "" {
			t.Errorf("the answer has a body: %s", r.Raw)
		}
		expect(t, c.lookBaidu(), "available []")
		if h, _ := s.HAVIP("baidu", "havip-w2d4"); h.Status != havip.Associating {
			t.Errorf("the control address says %s", h.Status)
		}
		c.attach("attach=", "i-syG3").want(t, 409, "OperationConflict")
		elapse(2 * time.Second)
		expect(t, c.lookBaidu(), "bound [i-syG1* i-syG2]")
		c.attach("detach", "i-syG1").want(t, 200, "")
		expect(t, c.lookBaidu(), "bound [i-syG1* i-syG2]")
		elapse(2 * time.Second)
		expect(t, c.lookBaidu(), "bound [i-syG2]")
		elapse(takeOver)
		expect(t, c.lookBaidu(), "bound [i-syG2*]")
	})
}

func TestMastership(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		for _, i := range []string{"i-db1", "i-db2"} {
			c.change("AssociateHaVip", i).want(t, 200, "")
			elapse(2 * time.Second)
		}
		set := func(i string, state havip.InstanceState) {
			t.Helper()
			if err := s.SetInstance("alibaba", i, state); err != nil {
				t.Fatal(err)
			}
		}
		set("i-db1", havip.Stopped)
		expect(t, c.look(), "InUse [i-db1 i-db2] ")
		elapse(takeOver - 1)
		expect(t, c.look(), "InUse [i-db1 i-db2] ")
		elapse(1)
		expect(t, c.look(), "InUse [i-db1 i-db2] i-db2")
		set("i-db1", havip.Running) // it comes back, and i-db2 stays
		elapse(time.Hour)
		expect(t, c.look(), "InUse [i-db1 i-db2] i-db2")

		c.change("UnassociateHaVip", "i-db2", "Force", "true").want(t, 200, "")
		elapse(2500 * time.Millisecond) // nobody looks when it ends
		expect(t, c.look(), "InUse [i-db1] ")
		elapse(takeOver - 500*time.Millisecond)
		expect(t, c.look(), "InUse [i-db1] i-db1")

		set("i-db1", havip.Stopping)
		elapse(time.Hour)
		expect(t, c.look(), "InUse [i-db1] ")
		set("i-db1", havip.Running) // long after the silence began: at once
		expect(t, c.look(), "InUse [i-db1] i-db1")
	})
}

func TestMasterByHand(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		for _, i := range []string{"i-db1", "i-db2"} {
			c.change("AssociateHaVip", i).want(t, 200, "")
			elapse(2 * time.Second)
		}
		appoint := func(id string) error {
			return s.SetHAVIP("alibaba", "havip-bp1orders", simulator.HAVIPChange{Master: &id})
		}
		if err := appoint("i-db2"); err != nil {
			t.Fatal(err)
		}
		expect(t, c.look(), "InUse [i-db1 i-db2] i-db2")
		if err := appoint("i-none"); err == nil || !strings.Contains(err.Error(), "does not run") {
			t.Errorf("a master that is nobody: %v", err)
		}
		if err := appoint(""); err != nil {
			t.Fatal(err)
		}
		elapse(time.Hour)
		expect(t, c.look(), "InUse [i-db1 i-db2] ")
		c.change("UnassociateHaVip", "i-db2").want(t, 200, "")
	})
}

func TestStatusByHand(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		force := func(status havip.Status) {
			t.Helper()
			if err := s.SetHAVIP("alibaba", "havip-bp1orders", simulator.HAVIPChange{Status: &status}); err != nil {
				t.Fatal(err)
			}
		}
		force(havip.Associating)
		elapse(time.Hour)
		expect(t, c.look(), "Associating [] ")
		c.change("AssociateHaVip", "i-db1").want(t, 400, "IncorrectHaVipStatus")
		if calls := s.Calls(simulator.CallFilter{Operation: "AssociateHaVip"}); !calls[0].Moving || calls[0].Effect {
			t.Errorf("the call is %+v", calls[0])
		}
		force(havip.InUse) // on nobody: odd, and shown as it was set
		expect(t, c.look(), "InUse [] ")
		force(havip.Available)
		c.change("AssociateHaVip", "i-db1").want(t, 200, "")
		elapse(2 * time.Second)
		expect(t, c.look(), "InUse [i-db1] i-db1")
	})
}

func TestClientToken(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		first := c.change("AssociateHaVip", "i-db1", "ClientToken", "tok").want(t, 200, "")
		again := c.change("AssociateHaVip", "i-db1", "ClientToken", "tok").want(t, 200, "")
		if again.Raw != first.Raw {
			t.Errorf("the replay answers %s, the first call %s", again.Raw, first.Raw)
		}
		c.change("AssociateHaVip", "i-db2", "ClientToken", "tok").want(t, 400, "IdempotentParameterMismatch")
		c.change("AssociateHaVip", "i-db2", "ClientToken", "other").want(t, 400, "IncorrectHaVipStatus")
		elapse(2 * time.Second)
		c.change("AssociateHaVip", "i-db2", "ClientToken", "other").want(t, 200, "") // a refusal is not remembered
		elapse(2 * time.Second)
		c.change("UnassociateHaVip", "i-db2", "ClientToken", "tok").want(t, 200, "") // another operation
		var effects, replays int
		for _, call := range s.Calls(simulator.CallFilter{HAVIP: "havip-bp1orders"}) {
			if call.Effect {
				effects++
			}
			if call.Replay {
				replays++
			}
			if call.Effect && call.Replay {
				t.Errorf("call %d changed the world and replayed", call.N)
			}
		}
		if effects != 3 || replays != 1 {
			t.Errorf("%d effects and %d replays, want 3 and 1", effects, replays)
		}
	})
}

func TestBaiduClientToken(t *testing.T) {
	bubble(t, func(t *testing.T, _ *simulator.Simulator, c *client) {
		c.attach("attach&clientToken=tok", "i-syG1").want(t, 200, "")
		c.attach("attach&clientToken=tok", "i-syG1").want(t, 200, "")
		c.attach("attach&clientToken=tok", "i-syG2").want(t, 400, "IdempotentParameterMismatch")
		elapse(2 * time.Second)
		expect(t, c.lookBaidu(), "bound [i-syG1*]")
	})
}

func TestInstanceDeletedOnTheWay(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		c.change("AssociateHaVip", "i-db1").want(t, 200, "")
		if err := s.SetInstance("alibaba", "i-db1", havip.Deleted); err != nil {
			t.Fatal(err)
		}
		elapse(2 * time.Second)
		expect(t, c.look(), "Available [] ")
	})
}

func TestNobodyLooksInBetween(t *testing.T) {
	set := func(t *testing.T, s *simulator.Simulator, cloud, id string, state havip.InstanceState) {
		t.Helper()
		if err := s.SetInstance(cloud, id, state); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("a master between two changes", func(t *testing.T) {
		inTime(t, simulator.Options{MasterTime: time.Second}, func(t *testing.T, s *simulator.Simulator, c *client) {
			c.attach("attach", "i-syG1", "i-syG2", "i-syG3").want(t, 200, "")
			elapse(2 * time.Second)
			set(t, s, "baidu", "i-syG1", havip.Stopped)
			c.attach("detach", "i-syG2").want(t, 200, "")
			elapse(2500 * time.Millisecond) // i-syG2 served from the first second to the second
			expect(t, c.lookBaidu(), "bound [i-syG1 i-syG3]")
			elapse(500 * time.Millisecond)
			expect(t, c.lookBaidu(), "bound [i-syG1 i-syG3*]")
		})
	})
	t.Run("a state before the move ended", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
			c.change("AssociateHaVip", "i-db1").want(t, 200, "")
			elapse(3 * time.Second)
			set(t, s, "alibaba", "i-db1", havip.Stopped)
			elapse(500 * time.Millisecond)
			set(t, s, "alibaba", "i-db1", havip.Running)
			expect(t, c.look(), "InUse [i-db1] ")
			elapse(takeOver - 500*time.Millisecond)
			if h := s.World().Alibaba[0].HAVIPs[0]; h.Master != "i-db1" {
				t.Errorf("the world says %+v", h)
			}
		})
	})
}

func TestForcedStatusDuringAMove(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		inUse := havip.InUse
		force := func() {
			if err := s.SetHAVIP("alibaba", "havip-bp1orders", simulator.HAVIPChange{Status: &inUse}); err != nil {
				t.Fatal(err)
			}
		}
		force()
		c.change("AssociateHaVip", "i-db1").want(t, 200, "")
		expect(t, c.look(), "Associating [] ") // the move shows, no longer what was forced
		force()
		expect(t, c.look(), "InUse [] ")
		c.change("AssociateHaVip", "i-db2").want(t, 400, "IncorrectHaVipStatus")
	})
}

func TestLimitsCountWhatIsUnderWay(t *testing.T) {
	w, err := worldfile.Parse([]byte(`
alibaba:
  region: cn-hangzhou
  accessKeys: {testak: testsk}
  havipsPerInstance: 1
  vswitches: [{id: vsw-a, vpc: vpc-1}]
  instances: [{id: i-db1, vswitch: vsw-a}]
  havips: [{id: havip-bp1orders, vswitch: vsw-a, ip: 10.0.0.1}, {id: other, vswitch: vsw-a, ip: 10.0.0.2}]
baidu:
  region: bj
  accessKeys: {testak: testsk}
  subnets: [{id: sbn-a, vpc: vpc-1}]
  instances: [{id: i-1, subnet: sbn-a}, {id: i-2, subnet: sbn-a}, {id: i-3, subnet: sbn-a}, {id: i-4, subnet: sbn-a}, {id: i-5, subnet: sbn-a}, {id: i-6, subnet: sbn-a}]
  havips: [{id: havip-w2d4, subnet: sbn-a, ip: 10.0.0.1}, {id: small, subnet: sbn-a, ip: 10.0.0.2, limit: 2}]
`))
	if err != nil {
		t.Fatal(err)
	}
	_, c := start(t, simulator.Options{World: w, AssociateTime: time.Hour})
	c.change("AssociateHaVip", "i-db1").want(t, 200, "")
	c.rpc("AssociateHaVip", "HaVipId", "other", "InstanceId", "i-db1").want(t, 400, "CountLimitExceed.HaVipOnInstance")

	_, c = start(t, simulator.Options{World: w})
	c.rest("PUT", "/v1/havip/small?attach", binding("SERVER", "i-1", "i-2", "i-3")).want(t, 400, "QuotaExceeded")
	c.attach("attach", "i-1", "i-2", "i-3", "i-4", "i-5").want(t, 200, "")
	c.attach("attach", "i-6").want(t, 400, "QuotaExceeded")
}

func TestClientTokenIsForgottenAfterADay(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		attach := func() simulator.Call {
			c.change("AssociateHaVip", "i-db1", "ClientToken", "tok")
			return last(t, s)
		}
		attach()
		elapse(24 * time.Hour)
		if call := attach(); !call.Replay {
			t.Errorf("after a day the call is %+v", call)
		}
		elapse(time.Second)
		if call := attach(); call.Replay || call.Code != "InvalidHaVip.Exist" {
			t.Errorf("later it is %+v", call)
		}
	})
}
