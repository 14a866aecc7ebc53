package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"havip-functions/shared/simulator"
	"havip-functions/shared/simulator/worldfile"
)

func simulateCommand() *cobra.Command {
	var addrs simulator.Addrs
	var world, faults string
	var associate time.Duration
	var seed int64
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Simulate the APIs of both clouds on loopback",
		Long: `Simulate the APIs of both clouds on loopback. Any client of theirs may call it,
with the keys testak and testsk unless the world file says otherwise. The first
line of stdout tells the addresses once it is ready.`,
		Example: `  havip simulate
  havip simulate --world world.yaml --associate-time 5s
  havip simulate --alibaba 127.0.0.1:0 --baidu 127.0.0.1:0 --control 127.0.0.1:0
  curl -s 127.0.0.1:9100/calls`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&addrs.Alibaba, "alibaba", "127.0.0.1:9101", "where Alibaba's APIs listen; port 0 picks a free one")
	f.StringVar(&addrs.Baidu, "baidu", "127.0.0.1:9102", "where Baidu's APIs listen")
	f.StringVar(&addrs.Control, "control", "127.0.0.1:9100", "where the control API listens")
	f.StringVar(&world, "world", "", "the world file; a small built-in world without it")
	f.DurationVar(&associate, "associate-time", 2*time.Second, "how long an attach or detach takes")
	f.Int64Var(&seed, "seed", 1, "of the faults that are drawn")
	f.StringVar(&faults, "faults", "", "faults to inject, as loseReply=0.1,delay=200ms,throttle=50")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := newSimulator(world, faults, associate, seed)
		if err != nil {
			return usage("%v", err)
		}
		defer s.Close()
		l, err := simulator.Serve(cmd.Context(), addrs, s)
		if err != nil {
			return usage("%v", err)
		}
		printJSON(l.Addrs)
		fmt.Fprintf(os.Stderr, "both clouds are simulated; control: http://%s/world, /calls, /faults. Stop with Ctrl-C.\n", l.Addrs.Control)
		return l.Wait()
	}
	return cmd
}

func newSimulator(world, faults string, associate time.Duration, seed int64) (*simulator.Simulator, error) {
	o := simulator.Options{AssociateTime: associate, Seed: seed}
	if associate == 0 {
		o.AssociateTime = -1 // at once, which is the flag's 0
	}
	var err error
	if world != "" {
		if o.World, err = worldfile.Read(world); err != nil {
			return nil, err
		}
	}
	if o.Faults, err = simulator.ParseFaults(faults); err != nil {
		return nil, err
	}
	return simulator.New(o)
}
