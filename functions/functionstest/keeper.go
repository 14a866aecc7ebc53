package functionstest

import (
	"context"

	"havip-functions/shared/alibaba"
	"havip-functions/shared/baidu"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/simulator"
)

// Keeper keeps the HAVIPs of a scene in real time, in clouds where a change takes
// none. It is for examples; a test has a [Stage].
func Keeper(s Scene) (havip.Keeper, *simulator.Simulator, error) {
	return s.keeper(simulator.Options{AssociateTime: -1, MasterTime: -1})
}

func (s Scene) keeper(o simulator.Options) (havip.Keeper, *simulator.Simulator, error) {
	policies, err := s.roster()
	if err != nil {
		return havip.Keeper{}, nil, err
	}
	o.World = s.world()
	clouds, err := simulator.New(o)
	if err != nil {
		return havip.Keeper{}, nil, err
	}
	return havip.Keeper{Ledger: ledger.NewMemory(), Roster: policies, Clouds: through(clouds)}, clouds, nil
}

// through opens an account by the vendors' own SDKs, without a socket.
func through(clouds *simulator.Simulator) havip.Clouds {
	ours := func(context.Context) (havip.Credentials, error) { return keys, nil }
	return func(_ context.Context, p havip.Policy, _ string) (havip.Cloud, havip.Fleet, error) {
		if p.Cloud == "baidu" {
			c := baidu.New(baidu.Config{Region: p.Region, Transport: clouds.Transport(), Credentials: ours})
			return c, c, nil
		}
		c := alibaba.New(alibaba.Config{Region: p.Region, Transport: clouds.Transport(), Credentials: ours})
		return c, c, nil
	}
}
