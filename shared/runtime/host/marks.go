package host

import (
	"context"
	"encoding/json"
	"errors"
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
type marks map[string]mark

// mark is the last write of a stream: its place, and when the engine took it, which
// tells it from another that was written there since. Of a record it is whether there
// is one.
type mark struct {
	Place uint64    `json:"place"`
	Time  time.Time `json:"time,omitzero"`
	First uint64    `json:"first,omitzero"` // place that is kept
	Kept  uint64    `json:"kept,omitzero"`  // writes, where only the oldest ever go
}

// emptied are the streams that we take something out of ourselves.
var emptied = []string{"HAVIP-REQUESTS", "KV_havip-dead", "KV_havip-letters"}

const marksFile = "marks.json"

func readMarks(ctx context.Context, js jetstream.JetStream) (marks, error) {
	m := marks{}
	streams := js.ListStreams(ctx)
	for s := range streams.Info() {
		now := mark{Place: s.State.LastSeq, Time: s.State.LastTime, First: s.State.FirstSeq}
		if !slices.Contains(emptied, s.Config.Name) {
			now.Kept = s.State.Msgs
		}
		m[s.Config.Name] = now
	}
	return m, streams.Err()
}

// lost tells what is missing beside what was there before.
func (m marks) lost(ctx context.Context, js jetstream.JetStream, before marks) (lost []string, err error) {
	for _, name := range slices.Sorted(maps.Keys(before)) {
		was, now := before[name], m[name]
		switch {
		case now.Place < was.Place:
			lost = append(lost, fmt.Sprintf("%s had %d writes and has %d", name, was.Place, now.Place))
		case now.First == was.First && now.Kept < was.Kept:
			lost = append(lost, fmt.Sprintf("%s kept %d writes and keeps %d", name, was.Kept, now.Kept))
		case now != was && !was.Time.IsZero():
			over, err := writtenOver(ctx, js, name, was)
			if err != nil {
				return nil, err
			}
			if over {
				lost = append(lost, fmt.Sprintf("%s has another write %d than it had", name, was.Place))
			}
		}
	}
	return lost, nil
}

// writtenOver is whether another message is in the place of one. Of one that was done,
// or followed by a newer of its key, nothing is left to tell.
func writtenOver(ctx context.Context, js jetstream.JetStream, stream string, was mark) (bool, error) {
	s, err := js.Stream(ctx, stream)
	if err != nil {
		return false, err
	}
	there, err := s.GetMsg(ctx, was.Place)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	return err == nil && !there.Time.Equal(was.Time), err
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
	lost, err := now.lost(ctx, js, before)
	if err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	if len(lost) > 0 {
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
	for subject, writes := range info.State.Subjects {
		now[subject] = mark{Place: writes}
	}
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
		maps.DeleteFunc(before, func(name string, _ mark) bool { // a stream that nobody leads says nothing
			_, told := now[name]
			return !told && !strings.HasPrefix(name, ofRecords)
		})
		lost, err := now.lost(ctx, js, before)
		if err != nil { // nor while this was compared
			continue
		}
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
