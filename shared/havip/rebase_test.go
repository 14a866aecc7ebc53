package havip_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/roster"
	"havip-functions/shared/simulator"
)

// emptied is a ledger whose outbox somebody empties as soon as a call is leased,
// as flow does when it publishes what an admission left there.
type emptied struct {
	*ledger.Memory
	once bool
}

func (l *emptied) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	saved, err := l.Memory.Save(ctx, key, value, rev)
	r := decoded(value)
	if err != nil || r.Pending == nil || l.once {
		return saved, err
	}
	l.once, r.Outbox = true, nil
	_, err = havip.Save(ctx, l.Memory, key, r, saved)
	return saved, err
}

// The answer of a call is kept though the record was written while it was out:
// a definite no would otherwise be waited for until it settles.
func TestAnAnswerOutlivesTheOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := simulator.New(simulator.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		list, err := roster.Parse(roster.Builtin())
		if err != nil {
			t.Fatal(err)
		}
		k := havip.Keeper{
			Ledger: &emptied{Memory: ledger.NewMemory()}, Roster: list,
			Clouds: func(_ context.Context, p havip.Policy, _ string) (havip.Cloud, havip.Fleet, error) {
				cloud := sim.Direct(p.Cloud, p.Region, havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "testsk"})
				return cloud, cloud, nil
			},
		}
		admitted, err := k.Admit(t.Context(), havip.Event{
			EventRef: havip.EventRef{Source: "test", ID: "1", Type: "havip.instance.started"}, Arrived: time.Now(),
			Cloud: "baidu", Region: "bj", Ask: havip.Ask{Kind: havip.AskStarted, Instance: "i-syG1"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Look(t.Context(), admitted[0]); err != nil {
			t.Fatal(err)
		}
		r, _, err := havip.Load[havip.Record](t.Context(), k.Ledger, "baidu.bj.havip-w2d4")
		if err != nil || r.Story.Calls != 1 || len(r.Story.Steps) != 1 || r.Story.Attempt != 2 {
			t.Fatalf("%v: %+v", err, r.Story)
		}
		if len(r.Outbox) != 1 || r.Outbox[0].Check == nil || r.Outbox[0].Check.Attempt != 2 {
			t.Errorf("the outbox holds %+v, want the second look", r.Outbox)
		}
	})
}
