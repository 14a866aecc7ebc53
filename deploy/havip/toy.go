package main

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"havip-functions/shared/console"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// toy is the simulator as the console moves it.
type toy struct {
	*simulator.Simulator

	mu sync.Mutex
	on []string
}

// faults are what a newcomer may want to see us live through.
var faults = []struct {
	name  string
	fault simulator.Fault
}{
	{"the next attach is refused as busy", simulator.Fault{Cloud: "alibaba", Operation: "AssociateHaVip", Times: 1, Error: &simulator.FaultError{Code: "IncorrectHaVipStatus"}}},
	{"the answer to the next attach is lost", simulator.Fault{Cloud: "alibaba", Operation: "AssociateHaVip", Times: 1, LoseReply: true}},
	{"each answer comes two seconds late", simulator.Fault{Delay: 2 * time.Second}},
	{"every other connection is cut", simulator.Fault{Probability: 0.5, Cut: true}},
	{"a page of HTML instead of an answer", simulator.Fault{Probability: 0.5, HTML: true}},
}

// Regions implements [console.World].
func (w *toy) Regions() (regions []console.Region) {
	now := w.World()
	for _, cloud := range []struct {
		name   string
		realms simulator.Realms
	}{{"alibaba", now.Alibaba}, {"baidu", now.Baidu}} {
		for _, r := range cloud.realms {
			regions = append(regions, region(cloud.name, r))
		}
	}
	return regions
}

func region(cloud string, r simulator.Realm) console.Region {
	one := console.Region{Cloud: cloud, Region: r.Region}
	for _, i := range r.Instances {
		one.Instances = append(one.Instances, console.Machine{ID: i.ID, State: i.State})
	}
	for _, h := range r.HAVIPs {
		one.HAVIPs = append(one.HAVIPs, console.Announced{ID: h.ID, Address: h.IP, Master: h.Master, Holders: h.Holders})
	}
	return one
}

// Put implements [console.World].
func (w *toy) Put(cloud, instance string, state havip.InstanceState) error {
	return w.SetInstance(cloud, instance, state)
}

// Announce implements [console.World].
func (w *toy) Announce(cloud, id, instance string) error {
	return w.SetHAVIP(cloud, id, simulator.HAVIPChange{Master: &instance})
}

// Faults implements [console.World].
func (w *toy) Faults() (list []console.Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range faults {
		list = append(list, console.Fault{Name: f.name, On: slices.Contains(w.on, f.name)})
	}
	return list
}

// Break implements [console.World].
func (w *toy) Break(name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name == "" {
		w.on = nil
		w.ClearFaults()
		return nil
	}
	for _, f := range faults {
		if f.name == name {
			w.on = append(w.on, name)
			return w.AddFault(f.fault)
		}
	}
	return fmt.Errorf("there is no fault %.40q", name)
}
