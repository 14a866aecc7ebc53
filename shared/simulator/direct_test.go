package simulator_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"havip-functions/shared/alibaba"
	"havip-functions/shared/baidu"
	"havip-functions/shared/havip"
	"havip-functions/shared/havip/cloudtest"
	"havip-functions/shared/simulator"
)

var directKeys = havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "testsk"}

// TestDirect holds Direct to what every cloud must do, the wire left out.
func TestDirect(t *testing.T) {
	t.Run("alibaba", func(t *testing.T) {
		direct(t, "alibaba", "cn-hangzhou", cloudtest.Harness{
			HAVIP: "havip-bp1orders", HAVIPs: 1, Limit: 2, Type: "EcsInstance",
			Members: []string{"i-db1", "i-db2", "i-db3"}, Outsider: "i-web1",
		}, simulator.Builtin())
	})
	t.Run("baidu", func(t *testing.T) {
		world := simulator.Builtin()
		realm := &world.Baidu[0]
		realm.HAVIPs[0].Limit = 2
		realm.Subnets = append(realm.Subnets, simulator.Network{ID: "sbn-far", VPC: "vpc-far"})
		realm.Instances = append(realm.Instances, simulator.Instance{ID: "i-far", Subnet: "sbn-far"})
		direct(t, "baidu", "bj", cloudtest.Harness{
			HAVIP: "havip-w2d4", HAVIPs: 1, Limit: 2, Type: "SERVER",
			Members: []string{"i-syG1", "i-syG2", "i-syG3"}, Outsider: "i-far",
		}, world)
	})
}

func direct(t *testing.T, cloud, region string, h cloudtest.Harness, world simulator.World) {
	t.Helper()
	h.Keys = directKeys
	h.Start = func(t *testing.T, moves time.Duration) cloudtest.World {
		t.Helper()
		if moves == 0 {
			moves = -1
		}
		s, err := simulator.New(simulator.Options{World: world, AssociateTime: moves, MasterTime: -1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return cloudtest.World{
			Open: func(a cloudtest.Access) cloudtest.Cloud { return s.Direct(cloud, region, a.Keys) },
			SetInstance: func(id string, state havip.InstanceState) {
				if err := s.SetInstance(cloud, id, state); err != nil {
					t.Fatal(err)
				}
			},
			Effects: func() (n int) {
				for _, c := range s.Calls(simulator.CallFilter{HAVIP: h.HAVIP}) {
					if c.Effect {
						n++
					}
				}
				return n
			},
		}
	}
	cloudtest.Test(t, h)
}

// clouds are both ways to the same world, the short one first.
func clouds(s *simulator.Simulator, cloud string) [2]havip.Cloud {
	keys := func(context.Context) (havip.Credentials, error) { return directKeys, nil }
	if cloud == "baidu" {
		return [2]havip.Cloud{s.Direct("baidu", "bj", directKeys),
			baidu.New(baidu.Config{Region: "bj", Transport: s.Transport(), Credentials: keys})}
	}
	return [2]havip.Cloud{s.Direct("alibaba", "cn-hangzhou", directKeys),
		alibaba.New(alibaba.Config{Region: "cn-hangzhou", Transport: s.Transport(), Credentials: keys})}
}

// TestDirectSaysWhatTheAdaptersSay forces every code, and what can befall an
// answer, on both ways and compares the verdicts.
func TestDirectSaysWhatTheAdaptersSay(t *testing.T) {
	calls := map[string]havip.Call{
		"alibaba": {HAVIP: "havip-bp1orders", Instance: "i-db1", InstanceType: "EcsInstance", Token: "t"},
		"baidu":   {HAVIP: "havip-w2d4", Instance: "i-syG1", InstanceType: "SERVER", Token: "t"},
	}
	for cloud, call := range calls {
		for name, fault := range everyFault(cloud) {
			t.Run(cloud+"/"+name, func(t *testing.T) {
				var said [2]string
				for way := range said {
					s, err := simulator.New(simulator.Options{Faults: []simulator.Fault{fault}})
					if err != nil {
						t.Fatal(err)
					}
					_, err = clouds(s, cloud)[way].Attach(t.Context(), call)
					said[way] = verdictOf(err)
				}
				if said[0] != said[1] {
					t.Errorf("direct says %s, the adapter %s", said[0], said[1])
				}
			})
		}
	}
}

func everyFault(cloud string) map[string]simulator.Fault {
	op := map[string]string{"alibaba": "AssociateHaVip", "baidu": "AttachHaVip"}[cloud]
	faults := map[string]simulator.Fault{
		"lost reply": {LoseReply: true}, "cut": {Cut: true}, "redirect": {Redirect: true},
		"html": {HTML: true}, "numeric code": {NumericCode: true}, "none": {SlowBody: time.Nanosecond},
	}
	for _, code := range simulator.Codes(cloud) {
		faults[code] = simulator.Fault{Error: &simulator.FaultError{Code: code}}
	}
	for name, f := range faults {
		f.Operation, f.Times = op, 1
		faults[name] = f
	}
	return faults
}

func verdictOf(err error) string {
	var e *havip.Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return fmt.Sprintf("%v, lost %t, of the instance %t", e.Kind, e.Lost, e.Instance)
}
