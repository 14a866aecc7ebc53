package main

import (
	"testing"
	"time"

	"havip-functions/shared/simulator"
)

// A native event goes in at /invoke; the function calls the cloud and, by a
// signed asynchronous call, itself, until the HAVIP is attached.
func TestFunctionCompute(t *testing.T) {
	for _, a := range arrivals("basic-1") {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			c := openClouds(t, simulator.Options{AssociateTime: slow})
			f := openFC(t, c, habits{}, openCustom)
			f.async(call{function: "havip-instance-started", payload: []byte(a.payload)}, 0)
			ended := c.attached(t, a, f.instance.logs()...)
			if got := len(c.effects(t, a.havip)); got != 1 || f.hops == 0 || ended.Calls != 1 {
				t.Errorf("%d calls changed the HAVIP, %d follow-ups, %+v", got, f.hops, ended)
			}
			if dead := f.deadLetters(); len(dead) > 0 {
				t.Errorf("dead letters: %d", len(dead))
			}
			if leaked := secretsIn(f.instance.logs()[0].String()); len(leaked) > 0 {
				t.Errorf("the log holds %v", leaked)
			}
		})
	}
}

// slow is an attach that outlives the watch inside an invocation.
const slow = 4 * time.Second

