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
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// marks are how far each stream of the engine had been written. The engine itself
// starts without a word where a file of its was cut or is missing.
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

// ofRecords begins the subjects of the records. Each of them has a mark in a cluster,
// since some in the middle may be gone while it writes on behind them, and none is ever
// deleted.
const ofRecords = "$KV.havip-ledger."

func readClusterMarks(ctx context.Context, js jetstream.JetStream) (marks, error) {
	now, err := readMarks(ctx, js)
	if err != nil {
		return nil, err
	}
	ledger, err := js.Stream(ctx, "KV_havip-ledger")
	if err != nil {
		return nil, err
	}
	info, err := ledger.Info(ctx, jetstream.WithSubjectFilter(ofRecords+">"))
	if err != nil {
		return nil, err
	}
	maps.Copy(now, info.State.Subjects)
	return now, nil
}

// watchMarks tells what a cluster has lost, again and again until the context ends: a
// node whose files were damaged may lead, and takes the others along. Who leads only
// now may not have read all that it has, so that nothing is told before it is seen
// twice.
func watchMarks(ctx context.Context, js jetstream.JetStream, log *slog.Logger) {
	const every = 10 * time.Second
	known, doubt := marks{}, false
	for pause(ctx, every) == nil {
		now, err := readClusterMarks(ctx, js)
		if err != nil { // nobody leads now
			continue
		}
		before := maps.Clone(known)
		maps.DeleteFunc(before, func(name string, _ uint64) bool { // a stream that nobody leads says nothing
			_, told := now[name]
			return !told && !strings.HasPrefix(name, ofRecords)
		})
		lost := now.lost(before)
		if len(lost) > 0 && !doubt {
			doubt = true
			continue
		}
		if doubt = false; len(lost) > 0 {
			log.Error("the cluster has lost writes: are a node's files damaged?"+
				" stories since then may be forgotten, the sweep looks at every HAVIP anew", "lost", lost)
			known = marks{}
		}
		maps.Copy(known, now)
	}
}
