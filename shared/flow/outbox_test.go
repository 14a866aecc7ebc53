package flow_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

type (
	stage = functionstest.Stage
	scene = functionstest.Scene
)

const key = "alibaba.cn-hangzhou." + functionstest.Orders

var errAway = errors.New("away")

// wiretap is a bus that notes what passes, and does something on the way.
type wiretap struct {
	flow.Bus
	ids    []string
	before func(cloudevents.Event) error
}

// Publish implements [flow.Bus].
func (w *wiretap) Publish(ctx context.Context, ce cloudevents.Event, after time.Duration) error {
	w.ids = append(w.ids, ce.ID())
	if w.before != nil {
		if err := w.before(ce); err != nil {
			return err
		}
	}
	return w.Bus.Publish(ctx, ce, after)
}

// tap puts a wiretap between the functions and the bus.
func tap(s *stage, before func(cloudevents.Event) error) *wiretap {
	w := &wiretap{Bus: s, before: before}
	s.Function = s.Host(func(f *flow.Function) { f.Bus = w })
	return w
}

func outbox(s *stage) []havip.Message {
	s.Helper()
	r, _, err := havip.Load[havip.Record](s.Context(), s.Ledger, key)
	if err != nil {
		s.Fatal(err)
	}
	return r.Outbox
}

var short = scene{Policy: "members: [i-db1, i-db2], hold: 2", Holders: []string{"i-db1"}}

func TestAcknowledgedAfterTheFollowUpIsPublished(t *testing.T) {
	functionstest.Play(t, short, func(s *stage) {
		away := true
		tap(s, func(cloudevents.Event) error {
			if away {
				return errAway
			}
			return nil
		})
		e := s.Started("i-db2")
		if err := s.Try(e); !errors.Is(err, errAway) {
			s.Errorf("without a follow-up, got %v", err)
		}
		if n := len(outbox(s)); n != 1 {
			s.Errorf("%d letters wait", n)
		}
		away = false
		s.Post(e) // a duplicate, that flushes
		if n := len(outbox(s)); n != 0 {
			s.Errorf("%d letters wait after they were published", n)
		}
		s.Want("+i-db2", "attached i-db2", "i-db1* i-db2")
	})
}

// Another invocation leaves a letter while ours are being published.
func TestRemovesExactlyWhatItPublished(t *testing.T) {
	functionstest.Play(t, short, func(s *stage) {
		const later = "left by another"
		tap(s, func(cloudevents.Event) error {
			_, _, err := havip.Update(s.Context(), s.Ledger, key, func(r *havip.Record) (bool, error) {
				r.Outbox = append(r.Outbox, havip.Message{ID: later, Ended: "another"})
				return true, nil
			})
			return err
		})
		s.Post(s.Started("i-db2"))
		left := outbox(s)
		if len(left) != 1 || left[0].ID != later {
			s.Errorf("left are %+v", left)
		}
	})
}

// remembering is a ledger that does not hear of emptied outboxes, as after a
// crash between publishing and removing.
type remembering struct{ ledger.Ledger }

// Save implements [havip.Ledger].
func (l remembering) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	if !strings.Contains(string(value), `"outbox":[{`) {
		return 0, errAway
	}
	return l.Ledger.Save(ctx, key, value, rev)
}

func TestPublishedAgainUnderTheSameID(t *testing.T) {
	functionstest.Play(t, short, func(s *stage) {
		w := tap(s, nil)
		s.Function = s.Host(func(f *flow.Function) {
			f.Bus, f.Ledger, f.Keeper.Ledger = w, remembering{s.Ledger}, remembering{s.Ledger}
		})
		e := s.Started("i-db2")
		if err := s.Try(e); !errors.Is(err, errAway) {
			s.Errorf("acknowledged, with %v", err)
		}
		s.Function = s.Host(func(f *flow.Function) { f.Bus = w })
		s.Post(e)
		if len(w.ids) != 2 || w.ids[0] != w.ids[1] {
			s.Errorf("published as %q", w.ids)
		}
		s.Want("+i-db2", "attached i-db2", "i-db1* i-db2")
	})
}

func TestResume(t *testing.T) {
	functionstest.Play(t, short, func(s *stage) {
		tap(s, func(cloudevents.Event) error { return errAway })
		if err := s.Try(s.Started("i-db2")); err == nil {
			s.Error("acknowledged")
		}
		w := tap(s, nil)
		for range 2 {
			if err := s.Function.Resume(s.Context()); err != nil {
				s.Error(err)
			}
		}
		if len(w.ids) != 1 {
			s.Errorf("published %q", w.ids)
		}
		s.Want("+i-db2", "attached i-db2", "i-db1* i-db2")
	})
}

// On our own host a look takes its own check out of the outbox, where it is due before
// any sweep: else it would be published again and again until then.
func TestACheckLeavesTheOutboxWithItsLook(t *testing.T) {
	for left, wait := range map[int]time.Duration{1: 500 * time.Millisecond, 0: 10 * time.Second} {
		functionstest.Play(t, short, func(s *stage) {
			s.Function = s.Host(func(f *flow.Function) { f.Keeper.Later = true })
			s.Post(s.Started("i-db2"))
			_, _, err := havip.Update(s.Context(), s.Ledger, key, func(r *havip.Record) (bool, error) {
				r.Outbox[0].Check.At = time.Now().Add(wait)
				return true, nil
			})
			if err = errors.Join(err, s.Function.Resume(s.Context())); err != nil {
				s.Fatal(err)
			}
			if n := len(outbox(s)); n != left {
				s.Errorf("due in %s: %d letters are left", wait, n)
			}
		})
	}
}

func TestAnOutcomeIsArchivedOnce(t *testing.T) {
	functionstest.Play(t, short, func(s *stage) {
		s.Post(s.Started("i-db2"))
		s.Want("+i-db2", "attached i-db2", "i-db1* i-db2")
		stories, _, err := s.Ledger.Stories(s.Context(), key, "", 10)
		if err != nil || len(stories) != 1 {
			s.Fatalf("%d stories, %v", len(stories), err)
		}
		story, told := stories[0], s.Last()
		if story.ID != told.Story || told.Calls != 1 || !slices.Equal(told.Holders, story.Holders) || told.Roster != story.Roster {
			s.Errorf("the archive has %+v, the outcome says %+v", story, told)
		}
	})
}

// hanging is a bus whose outcomes nobody takes, nor refuses.
type hanging struct{ flow.Bus }

// Publish implements [flow.Bus].
func (h hanging) Publish(ctx context.Context, ce cloudevents.Event, after time.Duration) error {
	if ce.Type() != events.TypeStatusCheck {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return h.Bus.Publish(ctx, ce, after)
}

// strict is a ledger that does nothing for who is out of time.
type strict struct{ ledger.Ledger }

// Save implements [havip.Ledger].
func (l strict) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return l.Ledger.Save(ctx, key, value, rev)
}

// Whoever takes the outcomes may hang: the next look is asked for all the same, in
// the shortest time that a host gives.
func TestAHangingSinkKeepsNoHAVIPFromItsNextLook(t *testing.T) {
	functionstest.Play(t, scene{Policy: "members: [i-db1, i-db2, i-db3], hold: 1", Holders: []string{"i-db1"}}, func(s *stage) {
		w := tap(s, nil)
		l := strict{s.Ledger}
		s.Function = s.Host(func(f *flow.Function) {
			f.Bus, f.Keeper.Later, f.Desk, f.Ledger, f.Keeper.Ledger = hanging{w}, true, &flow.Desk{}, l, l
		})
		for n := range 6 {
			who := []string{"i-db1", "i-db2"}[n%2]
			e := s.Failed(who)
			if n > 1 {
				e = []events.Event{s.Restored(who), s.Failed(who)}[n/2%2]
			}
			payload, err := json.Marshal(e)
			if err != nil {
				s.Fatal(err)
			}
			before := len(w.ids)
			ctx, cancel := context.WithTimeout(s.Context(), 4*time.Second)
			_ = s.Function.Invoke(ctx, payload) // to be redelivered, for the outcomes' sake
			cancel()
			if box := outbox(s); slices.ContainsFunc(box, func(l havip.Message) bool { return l.Check != nil && !slices.Contains(w.ids, l.ID) }) {
				s.Fatalf("event %d: the next look waits behind %d letters; published were %v", n, len(box), w.ids[before:])
			}
		}
	})
}

// An event that comes again when the ledger has forgotten it, after two days, is a
// new one in every way.
func TestAnEventOfTwoDaysAgo(t *testing.T) {
	functionstest.Play(t, scene{Policy: "members: [i-db1, i-db2], hold: 1", Holders: []string{"i-db1"}}, func(s *stage) {
		desk := &flow.Desk{}
		remembering := func(l ledger.Ledger) {
			s.Function = s.Host(func(f *flow.Function) { f.Ledger, f.Keeper.Ledger, f.Desk = l, l, desk })
		}
		remembering(ledger.NewMemory())
		first := s.Failed("i-db1")
		s.Post(first)
		s.Finish()
		s.Wait(49 * time.Hour)
		remembering(ledger.NewMemory())
		again := s.Failed("i-db2")
		again.ID, again.Source = first.ID, first.Source
		s.Post(again)
		s.Finish()
		s.Want("+i-db2 -i-db2", "attached i-db2, attached i-db1", "i-db1*")
	})
}

// slowBus takes its time, and notes what passes.
type slowBus struct {
	mu  sync.Mutex
	ids []string
}

// Publish implements [flow.Bus].
func (b *slowBus) Publish(_ context.Context, ce cloudevents.Event, _ time.Duration) error {
	<-time.After(time.Second)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids = append(b.ids, ce.ID())
	return nil
}

// Of several who come with the same outbox one publishes what lies there.
func TestNothingIsPublishedTwiceAtOnce(t *testing.T) {
	functionstest.Play(t, short, func(s *stage) {
		b := &slowBus{}
		s.Function = s.Host(func(f *flow.Function) { f.Bus, f.Keeper.Later = b, true })
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { s.Post(s.Started("i-db2")) })
			synctest.Wait()
		}
		all.Wait()
		slices.Sort(b.ids)
		if once := slices.Compact(slices.Clone(b.ids)); len(once) != len(b.ids) {
			s.Errorf("%d letters were published %d times", len(once), len(b.ids))
		}
	})
}
