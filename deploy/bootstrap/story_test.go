package main

import (
	"testing"
	"time"

	"havip-functions/shared/simulator"
)

// slow is an attach that outlives the watch inside an invocation.
const slow = 4 * time.Second

// runtimes are the two of Function Compute. Both pass every test of this file.
var runtimes = map[string]func(*testing.T, []string) instance{"custom": openCustom, "go1": openGo1}

// A native event goes in; the function calls the cloud and, by a signed
// asynchronous call, itself, until the HAVIP is attached.
func TestFunctionCompute(t *testing.T) {
	for name, open := range runtimes {
		for _, a := range arrivals("basic-1") {
			t.Run(name+"/"+a.name, func(t *testing.T) {
				t.Parallel()
				c := openClouds(t, simulator.Options{AssociateTime: slow})
				f := openFC(t, c, habits{}, open)
				f.async(call{function: "havip-instance-started", payload: []byte(a.payload)}, 0)
				ended := c.attached(t, a, f.instance.logs()...)
				c.once(t, a.havip)
				if f.followUps() == 0 || ended.Msg != "attached" || ended.Calls != 1 {
					t.Errorf("%d follow-ups, %+v", f.followUps(), ended)
				}
				f.clean()
			})
		}
	}
}

// clean checks that nothing was buried, and that no log holds a secret.
func (f *functionCompute) clean() {
	f.t.Helper()
	for _, c := range f.deadLetters() {
		f.t.Errorf("dead letter: %s %s", c.function, c.payload)
	}
	for _, log := range f.instance.logs() {
		if leaked := secretsIn(log.String()); len(leaked) > 0 {
			f.t.Errorf("a log holds %v", leaked)
		}
	}
}
