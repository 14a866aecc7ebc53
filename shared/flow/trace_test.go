package flow_test

import (
	"context"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
)

// tapped is a bus that shows what goes over it.
type tapped struct {
	flow.Bus
	seen *[]events.Event
}

func (b tapped) Publish(ctx context.Context, ce cloudevents.Event, after time.Duration) error {
	payload, err := ce.MarshalJSON()
	if err != nil {
		return err
	}
	list, err := events.Read(payload, time.Now())
	if err != nil {
		return err
	}
	*b.seen = append(*b.seen, list...)
	return b.Bus.Publish(ctx, ce, after)
}

// Whatever an event brings about carries its trace on: follow-ups and outcomes,
// of what is done and of what is only noted.
func TestTraceIsCarriedOn(t *testing.T) {
	functionstest.Play(t, functionstest.Scene{}, func(s *functionstest.Stage) {
		const parent, state = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "vendor=1,other=2"
		var seen []events.Event
		s.Function = s.Host(func(f *flow.Function) { f.Bus = tapped{s, &seen} })
		for _, e := range []events.Event{s.Failed("i-db1"), s.Started("i-nobody"), s.Recover(events.Recover{Instance: "i-db2"}), s.Sweep()} {
			seen, e.TraceParent, e.TraceState = nil, parent, state
			s.Post(e)
			s.Finish()
			if _, quiet := e.Data.(events.Sweep); len(seen) == 0 && !quiet {
				t.Errorf("nothing follows from %s", e.Type)
			}
			for _, next := range seen {
				if next.TraceParent != parent || next.TraceState != state || next.Causation != e.ID {
					t.Errorf("%s of %s carries %q, %q, caused by %q", next.Type, e.Type, next.TraceParent, next.TraceState, next.Causation)
				}
			}
		}
	})
}

// Who traces the stories hears of each once its outcome is told, and of no instance that
// is nobody's.
func TestEndedHearsOfStories(t *testing.T) {
	functionstest.Play(t, functionstest.Scene{Policy: "members: [i-db1], hold: 1"}, func(s *functionstest.Stage) {
		var heard []havip.Story
		s.Function = s.Host(func(f *flow.Function) { f.Ended = func(story havip.Story) { heard = append(heard, story) } })
		noise := s.Started("i-nobody")
		noise.Type, noise.Source = "ecs:Instance:StateChange", "acs.ecs"
		s.Post(noise)
		s.Post(s.Started("i-db1"))
		s.Finish()
		if len(heard) != 1 || heard[0].Outcome != havip.Attached || heard[0].Instance != "i-db1" || len(heard[0].Looks) < 2 {
			t.Errorf("heard of %+v", heard)
		}
	})
}
