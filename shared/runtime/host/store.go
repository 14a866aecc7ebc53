package host

import (
	"context"
	"errors"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// ErrStore means that the embedded engine can't write any more, as on a full
// disk. It does not try again by itself: the host has to be opened anew.
var ErrStore = errors.New("the data folder can't be written; is the disk full?")

// watched tells of a ledger that can't be written.
type watched struct {
	ledger.Ledger
	failed func()
}

// Save implements [havip.Ledger].
func (w watched) Save(ctx context.Context, key string, r havip.Record, rev havip.Revision) (havip.Revision, error) {
	saved, err := w.Ledger.Save(ctx, key, r, rev)
	if err != nil && !errors.Is(err, havip.ErrConflict) && !errors.Is(err, context.Canceled) {
		w.failed()
	}
	return saved, err
}

// guardStore writes down how far the embedded engine has come, and stops the
// host when it can't write any more.
func (h *Host) guardStore(ctx context.Context, stop func()) {
	if h.engine.embedded == nil {
		return
	}
	go keepMarks(ctx, h.bus.js, h.config.Data)
	select {
	case <-h.unwritable:
		stop()
	case <-ctx.Done():
	}
}
