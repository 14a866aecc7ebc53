package simulator_test

import (
	"fmt"
	"testing"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
	"havip-functions/shared/simulator/worldfile"
)

// announcing begins with i-db1 and i-db2 on the address, which the first announces.
func announcing(t *testing.T, test func(change func(simulator.HAVIPChange), s *simulator.Simulator, c *client)) {
	t.Helper()
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		for _, i := range []string{"i-db1", "i-db2"} {
			c.change("AssociateHaVip", i).want(t, 200, "")
			elapse(2 * time.Second)
		}
		test(func(h simulator.HAVIPChange) {
			t.Helper()
			if err := s.SetHAVIP("alibaba", "havip-bp1orders", h); err != nil {
				t.Fatal(err)
			}
		}, s, c)
	})
}

// answer holds what the cloud says, and who really answers.
func answer(t *testing.T, s *simulator.Simulator, c *client, look, answers string) {
	t.Helper()
	expect(t, c.look(), look)
	expect(t, s.Answers("alibaba", "havip-bp1orders"), answers)
}

func stop(t *testing.T, s *simulator.Simulator, instance string) {
	t.Helper()
	if err := s.SetInstance("alibaba", instance, havip.Stopped); err != nil {
		t.Fatal(err)
	}
}

// The last who announces an address is its master, holder or not.
func TestSquatter(t *testing.T) {
	announcing(t, func(change func(simulator.HAVIPChange), s *simulator.Simulator, c *client) {
		answer(t, s, c, "InUse [i-db1 i-db2] i-db1", "i-db1")
		change(simulator.HAVIPChange{Master: new("i-web1")})
		elapse(time.Hour)
		answer(t, s, c, "InUse [i-db1 i-db2] i-web1", "i-web1")
		c.change("UnassociateHaVip", "i-db2").want(t, 200, "") // it is not the master
		elapse(2 * time.Second)

		stop(t, s, "i-web1")
		answer(t, s, c, "InUse [i-db1] ", "") // i-db1 has no reason to announce it again
		change(simulator.HAVIPChange{Master: new("i-db1")})
		answer(t, s, c, "InUse [i-db1] i-db1", "i-db1")
	})
}

// A squatter that is attached has the address already.
func TestASquatterBecomesAHolder(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		c.change("AssociateHaVip", "i-db1").want(t, 200, "")
		elapse(2 * time.Second)
		if err := s.SetHAVIP("alibaba", "havip-bp1orders", simulator.HAVIPChange{Master: new("i-db2")}); err != nil {
			t.Fatal(err)
		}
		c.change("AssociateHaVip", "i-db2").want(t, 200, "")
		elapse(2 * time.Second)
		answer(t, s, c, "InUse [i-db1 i-db2] i-db2", "i-db2")
	})
}

// A standby that takes over announces the address, and takes it from a squatter too.
func TestTheLastAnnouncementCounts(t *testing.T) {
	announcing(t, func(change func(simulator.HAVIPChange), s *simulator.Simulator, c *client) {
		change(simulator.HAVIPChange{Master: new("i-web1")})
		stop(t, s, "i-db1")
		elapse(takeOver)
		answer(t, s, c, "InUse [i-db1 i-db2] i-db2", "i-db2")
	})
}

// Who loses the address by hand announces nothing, so that the cloud goes on naming
// him; to the others he is the master still.
func TestStickyMaster(t *testing.T) {
	announcing(t, func(change func(simulator.HAVIPChange), s *simulator.Simulator, c *client) {
		change(simulator.HAVIPChange{Removed: new(true)})
		elapse(time.Hour)
		answer(t, s, c, "InUse [i-db1 i-db2] i-db1", "")
		c.change("UnassociateHaVip", "i-db1").want(t, 400, "Forbidden.UnassociateMaster")
		stop(t, s, "i-db1")
		elapse(takeOver)
		answer(t, s, c, "InUse [i-db1 i-db2] i-db2", "i-db2")
	})
}

// Whose announcement is lost has the address, and gets no packet.
func TestLostAnnouncement(t *testing.T) {
	announcing(t, func(change func(simulator.HAVIPChange), s *simulator.Simulator, c *client) {
		change(simulator.HAVIPChange{Unheard: new(true), Master: new("i-db2")})
		answer(t, s, c, "InUse [i-db1 i-db2] i-db1", "")
		stop(t, s, "i-db1")
		answer(t, s, c, "InUse [i-db1 i-db2] ", "")
		change(simulator.HAVIPChange{Unheard: new(false), Master: new("i-db2")}) // it announces it once more
		answer(t, s, c, "InUse [i-db1 i-db2] i-db2", "i-db2")
	})
}

// Baidu marks its master among the holders: a squatter shows as nobody.
func TestBaiduNamesNoStranger(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		c.attach("attach", "i-syG1").want(t, 200, "")
		elapse(2 * time.Second)
		if err := s.SetHAVIP("baidu", "havip-w2d4", simulator.HAVIPChange{Master: new("i-syG3")}); err != nil {
			t.Fatal(err)
		}
		expect(t, c.lookBaidu(), "bound [i-syG1]")
		expect(t, s.Answers("baidu", "havip-w2d4"), "i-syG3")
	})
}

const masters = `
alibaba:
  region: cn-hangzhou
  accessKeys: {testak: testsk}
  mastersByInstance: true
  vswitches: [{id: vsw-a, vpc: vpc-1}]
  instances: [{id: i-db1, vswitch: vsw-a}, {id: i-web1, vswitch: vsw-a}]
  interfaces: [{id: eni-1, vswitch: vsw-a, instance: i-db1}]
  havips: [{id: havip-bp1orders, vswitch: vsw-a, ip: 10.0.0.1, holders: [eni-1]%s}]
`

// The master of interfaces is named by its instance where the region does so, and a
// world begins as its file says.
func TestMasterOfAFile(t *testing.T) {
	for _, tc := range []struct{ extra, look, answers string }{
		{"", "InUse [eni-1] i-db1", "eni-1"},
		{", master: i-web1", "InUse [eni-1] i-web1", "i-web1"},
		{", removed: true", "InUse [eni-1] i-db1", ""},
		{", status: Pending", "Pending [eni-1] i-db1", "eni-1"},
	} {
		w, err := worldfile.Parse(fmt.Appendf(nil, masters, tc.extra))
		if err != nil {
			t.Fatal(err)
		}
		s, c := start(t, simulator.Options{World: w})
		answer(t, s, c, tc.look, tc.answers)
		if again, _ := start(t, simulator.Options{World: s.World()}); again.Answers("alibaba", "havip-bp1orders") != tc.answers {
			t.Errorf("%s: the world as it was told is another: %+v", tc.extra, again.World().Alibaba[0].HAVIPs)
		}
	}
}

// A HAVIP that is Pending takes no change (Terraform's data source knows the status).
func TestPending(t *testing.T) {
	s, c := start(t, simulator.Options{})
	if err := s.SetHAVIP("alibaba", "havip-bp1orders", simulator.HAVIPChange{Status: new(worldfile.Pending)}); err != nil {
		t.Fatal(err)
	}
	c.change("AssociateHaVip", "i-db1").want(t, 400, "IncorrectHaVipStatus")
}

// An instance holds five HAVIPs on Alibaba, and any number on Baidu, unless the world
// says otherwise.
func TestHAVIPsPerInstance(t *testing.T) {
	for _, tc := range []struct{ most, held int }{{0, 5}, {7, 7}} {
		realm := simulator.Builtin().Alibaba[0]
		realm.HAVIPsPerInstance = tc.most
		for n := range 8 {
			realm.HAVIPs = append(realm.HAVIPs, simulator.HAVIP{ID: fmt.Sprintf("havip-%d", n), VSwitch: "vsw-a", IP: "10.0.0.1"})
		}
		_, c := start(t, simulator.Options{World: simulator.World{Alibaba: simulator.Realms{realm}}})
		attach := func(n int) reply {
			return c.rpc("AssociateHaVip", "HaVipId", fmt.Sprintf("havip-%d", n), "InstanceId", "i-db1")
		}
		for n := range tc.held {
			attach(n).want(t, 200, "")
		}
		attach(tc.held).want(t, 400, "CountLimitExceed.HaVipOnInstance")
	}
}
