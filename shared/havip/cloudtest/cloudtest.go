// Package cloudtest is what every Cloud and Fleet must do, as one suite of tests.
package cloudtest

import (
	"testing"
	"time"

	"havip-functions/shared/havip"
)

// Cloud is what the suite puts to the test.
type Cloud interface {
	havip.Cloud
	havip.Fleet
}

// Harness tells the suite what it needs to know of a cloud.
type Harness struct {
	// Start opens a world for one test, in which an attach or a detach takes so
	// long to show; with 0 the next Get shows it. The world goes with the test.
	Start func(t *testing.T, moves time.Duration) World

	HAVIP    string            // nobody holds it when a world starts
	HAVIPs   int               // how many the world has; more than a page of them
	Limit    int               // how many may hold it
	Type     string            // of the members
	Members  []string          // Limit+1 running instances that may hold it
	Outsider string            // one that may not, being in another network
	Keys     havip.Credentials // the right ones
}

// World is a cloud for the length of one test.
type World struct {
	// Open gives access to it.
	Open func(Access) Cloud

	// SetInstance puts an instance into a state.
	SetInstance func(id string, state havip.InstanceState)

	// Effects counts the calls that changed a HAVIP.
	Effects func() int

	// Fault makes the next call go wrong. It is nil for a cloud without a wire,
	// whose tests of the wire are skipped; they alone need what follows too.
	Fault func(Fault)

	// Storm makes a share of all calls go wrong from now on. None is answered with
	// a refusal, and only calls that read wait for longer than a moment.
	Storm func()

	// Holders are who really holds a HAVIP.
	Holders func(havip string) []string

	// Connections closes those that are idle and counts those still open.
	Connections func() int
}

// Access says who calls, and for how long at most.
type Access struct {
	Keys    havip.Credentials
	Timeout time.Duration // 0: the cloud's default
}

// Fault is what becomes of one call.
type Fault string

// What may become of a call.
const (
	Throttled   Fault = "throttled"    // refused: too many calls
	ReplyLost   Fault = "reply lost"   // it takes effect, and the connection breaks
	Cut         Fault = "cut"          // no effect, and the connection breaks
	Slow        Fault = "slow"         // nothing comes for longer than a test waits
	SlowBody    Fault = "slow body"    // half of the answer comes at once
	Redirect    Fault = "redirect"     // 307 to the same place
	BadGateway  Fault = "bad gateway"  // 502 with a page in HTML
	NumericCode Fault = "numeric code" // an error whose code is a number
	Empty       Fault = "empty"        // 200 and nothing else, no effect
)

// Test runs the suite.
func Test(t *testing.T, h Harness) {
	t.Run("get", h.testGet)
	t.Run("attach", h.testAttach)
	t.Run("detach", h.testDetach)
	t.Run("guarded", h.testGuarded)
	t.Run("refused", h.testRefused)
	t.Run("full", h.testFull)
	t.Run("keys", h.testKeys)
	t.Run("moving", h.testMoving)
	t.Run("list", h.testList)
	t.Run("states", h.testStates)
	t.Run("canceled", h.testCanceled)
	t.Run("concurrent", h.testConcurrent)
	t.Run("leak", h.testLeak)
	t.Run("wire", h.testWire)
	t.Run("deadline", h.testDeadline)
	t.Run("storm", h.testStorm)
}
