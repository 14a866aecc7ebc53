package host

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// marks are how far each stream of the embedded engine had been written. The
// engine itself starts without a word where a file of its was cut or is missing.
type marks map[string]uint64

const marksFile = "marks.json"

func readMarks(ctx context.Context, js jetstream.JetStream) (marks, error) {
	m := marks{}
	streams := js.ListStreams(ctx)
	for s := range streams.Info() {
		m[s.Config.Name] = s.State.LastSeq
	}
	return m, streams.Err()
}

// lost tells what is missing beside what was there before.
func (m marks) lost(before marks) []string {
	var lost []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if m[name] < before[name] {
			lost = append(lost, fmt.Sprintf("%s had %d writes and has %d", name, before[name], m[name]))
		}
	}
	return lost
}

// compareMarks says what the engine has lost since it ran last.
func compareMarks(ctx context.Context, js jetstream.JetStream, data string, log *slog.Logger) error {
	text, err := os.ReadFile(filepath.Join(data, marksFile)) //nolint:gosec // the operator's own folder
	if err != nil {
		return nil //nolint:nilerr // it runs for the first time
	}
	now, err := readMarks(ctx, js)
	if err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	before := marks{}
	_ = json.Unmarshal(text, &before) // one that was cut too says nothing
	if lost := now.lost(before); len(lost) > 0 {
		log.Error("the data folder has lost writes: a file was cut, deleted or taken from a backup;"+
			" stories since then may be forgotten, the sweep looks at every HAVIP anew", "data", data, "lost", lost)
	}
	return nil
}

// keepMarks writes down again and again how far the engine has come, until the
// context ends.
func keepMarks(ctx context.Context, js jetstream.JetStream, data string) {
	const every = time.Second
	for before := (marks{}); ; {
		now, err := readMarks(ctx, js)
		if text, failed := json.Marshal(now); err == nil && failed == nil && !maps.Equal(now, before) {
			_ = os.WriteFile(filepath.Join(data, marksFile), text, 0o600) // on a full disk the engine says so
			before = now
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}
