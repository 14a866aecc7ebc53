package functions_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// faultyLedger is a ledger over a network that fails.
type faultyLedger struct {
	*run
	ledger.Ledger
}

var errLedgerAway = errors.New("the ledger is away")

// Load implements [havip.Ledger].
func (l faultyLedger) Load(ctx context.Context, key string) ([]byte, havip.Revision, error) {
	v := invocationOf(ctx)
	v.lag()
	v.dawdle("load")
	l.mu.Lock()
	defer l.mu.Unlock()
	v.trespass("load")
	v.ops++
	v.what = "load"
	if l.ledgerDown || v.befalls(ledgerAway) || ctx.Err() != nil {
		return nil, 0, errLedgerAway
	}
	return l.Ledger.Load(ctx, key)
}

// Save implements [havip.Ledger].
func (l faultyLedger) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (saved havip.Revision, err error) {
	v := invocationOf(ctx)
	v.saving = time.Now()
	v.dawdle("save")
	err = v.side(ctx, "save", func() error {
		if l.ledgerDown || v.befalls(ledgerAway) {
			return errLedgerAway
		}
		if v.befalls(ledgerLate) {
			l.arrives(v, key, slices.Clone(value), rev)
			return errLedgerAway
		}
		var err error
		if saved, err = l.Ledger.Save(ctx, key, value, rev); err != nil {
			l.count("fault", "ledger: conflict with another")
			return err
		}
		l.tape.onSave(l.run, v, key, value)
		switch {
		case v.befalls(ledgerLost):
			return errLedgerAway
		case v.befalls(ledgerConflict):
			return havip.ErrConflict
		}
		return nil
	})
	return saved, err
}

// arrives lets a write come to the ledger when its writer has long given it up.
func (l faultyLedger) arrives(v *invocation, key string, value []byte, rev havip.Revision) {
	wait := time.Millisecond + time.Duration(v.rng.Int64N(int64(5*time.Second)))
	then := *v // it says what was known when it was sent
	then.looks, then.asked, then.surveys = map[string]*witness{}, maps.Clone(v.asked), maps.Clone(v.surveys)
	then.downs, then.ups = maps.Clone(v.downs), maps.Clone(v.ups)
	late := *v.msg // what is left in an outbox so late was not there to be published before its acknowledgement
	then.msg = &late
	for story, w := range v.looks {
		seen := *w
		then.looks[story] = &seen
	}
	l.busy.Go(func() {
		time.Sleep(wait)
		l.locked(func() {
			if _, err := l.Ledger.Save(context.Background(), key, value, rev); err == nil && !l.over {
				l.tape.onSave(l.run, &then, key, value)
			}
		})
	})
}

// Create implements [havip.Ledger]. Not every ledger makes all of them at once.
func (l faultyLedger) Create(ctx context.Context, values map[string][]byte) error {
	v := invocationOf(ctx)
	return l.put(ctx, "create", func() (err error) {
		keys := slices.Sorted(maps.Keys(values))
		if v.befalls(ledgerPartly) {
			keys = keys[:v.rng.IntN(len(keys)+1)]
			defer func() { err = errLedgerAway }()
		}
		for _, key := range keys {
			if _, err := l.Ledger.Save(ctx, key, values[key], 0); err == nil {
				l.tape.onSave(l.run, v, key, values[key])
			}
		}
		return nil
	})
}

// Archive implements [ledger.Ledger].
func (l faultyLedger) Archive(ctx context.Context, s havip.Story) error {
	return l.put(ctx, "archive", func() error {
		l.tape.archive[s.ID] = s
		return l.Ledger.Archive(ctx, s)
	})
}

// Bury implements [ledger.Ledger].
func (l faultyLedger) Bury(ctx context.Context, d ledger.DeadLetter) (bool, error) {
	v := invocationOf(ctx)
	return false, l.put(ctx, "bury", func() error {
		l.tape.buried[string(d.Bytes)] = true
		l.checkOwn(d.Bytes, d.Reason)
		l.note("  %s is buried: %s", v.msg.id, d.Reason)
		_, err := l.Ledger.Bury(ctx, d)
		return err
	})
}

func (l faultyLedger) put(ctx context.Context, what string, put func() error) error {
	v := invocationOf(ctx)
	v.dawdle(what)
	return v.side(ctx, what, func() error {
		if l.ledgerDown || v.befalls(ledgerAway) {
			return errLedgerAway
		}
		if err := put(); err != nil || v.befalls(ledgerLost) {
			return errLedgerAway
		}
		return nil
	})
}

// dawdle is a disk that is slow for once.
func (v *invocation) dawdle(what string) {
	slow := false
	v.locked(func() {
		v.what = what
		slow = v.befalls(ledgerSlow)
	})
	if slow {
		time.Sleep(time.Second + time.Duration(v.rng.Int64N(int64(6*time.Second))))
	}
}
